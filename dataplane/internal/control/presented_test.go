package control_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// presents checks that a request carries the release of what the agent says it serves, as
// it was signed.
func presents(t *testing.T, req *agentv1.WatchRequest) {
	t.Helper()
	have, signed := req.GetHave(), req.GetRelease()
	if have == nil && signed == nil {
		return
	}
	header := &policyv1.Release{}
	if err := proto.Unmarshal(signed.GetRelease(), header); err != nil {
		t.Error(err)
	}
	if header.GetEpoch() != have.GetEpoch() || header.GetVersion() != have.GetVersion() || !bytes.Equal(header.GetRoot(), have.GetRoot()) {
		t.Errorf("the agent serves %v and presents the release %v", have, header)
	}
	if len(signed.GetSignature()) != 64 || signed.GetSigningKeyId() == "" {
		t.Errorf("it is not signed: %v", signed)
	}
}
