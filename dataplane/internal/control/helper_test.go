package control_test

import (
	"bytes"
	"sync"

	"google.golang.org/protobuf/proto"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

type (
	release  = policyv1.Release
	resource = policyv1.Resource
	set      = policyv1.Revocations
)

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func decodeKey(r *resource) (*policyv1.Key, error) {
	key := &policyv1.Key{}
	return key, proto.Unmarshal(r.GetBody(), key)
}
