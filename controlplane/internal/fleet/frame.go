package fleet

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// frame is a message encoded once and sent to many.
type frame struct {
	epoch, version int64
	keyID          string // of its signature
	message        *agentv1.WatchResponse
}

// snapshotFrame knows besides which release and which revocations it carries.
type snapshotFrame struct {
	frame
	release           Release
	revocationEpoch   int64
	revocationVersion int64
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
	return &frame{epoch: set.GetEpoch(), version: set.GetVersion(), keyID: signed.GetSigningKeyId(), message: message}, nil
}

func newSnapshotFrame(release Release, resources []*policyv1.Resource, revoked signedSet) (*snapshotFrame, error) {
	message, err := encodeOnce(&agentv1.WatchResponse{Message: &agentv1.WatchResponse_Snapshot{Snapshot: &agentv1.Snapshot{
		Release:     release.Signed,
		Resources:   resources,
		Revocations: revoked.signed,
	}}})
	if err != nil {
		return nil, err
	}
	return &snapshotFrame{
		frame:             frame{epoch: release.Epoch, version: release.Version, keyID: release.Signed.GetSigningKeyId(), message: message},
		release:           release,
		revocationEpoch:   revoked.set.GetEpoch(),
		revocationVersion: revoked.set.GetVersion(),
	}, nil
}
