package fleet

import (
	"bytes"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// frame is a message encoded once and sent to many.
type frame struct {
	epoch, version int64
	keyID          string // of its signature
	message        *agentv1.WatchResponse
	revoked        []*policyv1.Revocation
}

// adds tells whether the set has what another one of its position does not: keys revoked
// long ago come back for an agent that may store them living.
func (f *frame) adds(other *frame) bool {
	left := other.revoked
	for _, r := range f.revoked { // both are in one order
		at := slices.IndexFunc(left, func(o *policyv1.Revocation) bool {
			return o.GetKeyId() == r.GetKeyId() && bytes.Equal(o.GetKeySha256(), r.GetKeySha256())
		})
		if at < 0 {
			return f.epoch == other.epoch && f.version == other.version
		}
		left = left[at+1:]
	}
	return false
}

// encodeOnce returns a message without fields whose unknown bytes are the encoded
// argument: each send then copies them instead of walking 250,000 resources. It
// is for binary streams; JSON has no unknown fields.
func encodeOnce(message *agentv1.WatchResponse) (*agentv1.WatchResponse, error) {
	encoded, err := proto.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	once := &agentv1.WatchResponse{}
	once.ProtoReflect().SetUnknown(encoded)
	return once, nil
}

func newRevocationFrame(set *policyv1.Revocations, signed *policyv1.SignedRevocations) (*frame, error) {
	message, err := encodeOnce(&agentv1.WatchResponse{Message: &agentv1.WatchResponse_Revocations{Revocations: signed}})
	if err != nil {
		return nil, err
	}
	return &frame{epoch: set.GetEpoch(), version: set.GetVersion(), keyID: signed.GetSigningKeyId(), message: message, revoked: set.GetRevocations()}, nil
}

// snapshotFrame is a whole policy as one message.
func snapshotFrame(s *agentv1.Snapshot) (*agentv1.WatchResponse, error) {
	return encodeOnce(&agentv1.WatchResponse{Message: &agentv1.WatchResponse_Snapshot{Snapshot: s}})
}

// chunkBytes is about how large one message of a policy gets: revocations wait for one.
const chunkBytes = 1 << 20

// chunkFrames are a whole policy as a head and its chunks. A resource that is larger
// than a chunk is one by itself.
func chunkFrames(s *agentv1.Snapshot) ([]*agentv1.WatchResponse, error) {
	parts := chunks(s.GetResources())
	head, err := snapshotFrame(&agentv1.Snapshot{Release: s.GetRelease(), Revocations: s.GetRevocations(), Chunks: int32(len(parts))})
	if err != nil {
		return nil, err
	}
	frames := append(make([]*agentv1.WatchResponse, 0, 1+len(parts)), head)
	for i, part := range parts {
		chunk, err := encodeOnce(&agentv1.WatchResponse{Message: &agentv1.WatchResponse_Chunk{
			Chunk: &agentv1.SnapshotChunk{Index: int32(i), Resources: part},
		}})
		if err != nil {
			return nil, err
		}
		frames = append(frames, chunk)
	}
	return frames, nil
}

func chunks(resources []*policyv1.Resource) (parts [][]*policyv1.Resource) {
	begin, size := 0, 0
	for i, r := range resources {
		bytes := proto.Size(r)
		if size+bytes > chunkBytes && i > begin {
			parts = append(parts, resources[begin:i])
			begin, size = i, 0
		}
		size += bytes
	}
	if begin < len(resources) {
		parts = append(parts, resources[begin:])
	}
	return parts
}
