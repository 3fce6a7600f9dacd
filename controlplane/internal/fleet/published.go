package fleet

import (
	"sync"

	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const (
	// capabilityDelta of agents that understand deltas, chunks and what is not confirmed.
	capabilityDelta = 4
	// maxDeltas is from how many positions one release has deltas.
	maxDeltas = 256
)

// position of a policy; the root tells what is in it.
type position struct {
	epoch, version int64
	root           string
}

// published is a release with the policy that it is of. What is sent of it is
// encoded when the first agent needs it, once, and shared by all.
type published struct {
	position
	release Release
	policy  *policy.Compiled
	revoked signedSet
	track   rollout.Track
	stage   rollout.Stage // at the version that it was compiled from
	// asOne message for agents of old; asParts where it is larger than a chunk.
	asOne, asParts func() ([]*agentv1.WatchResponse, error)

	mu     sync.Mutex
	deltas map[position]func() (*agentv1.WatchResponse, error)
}

func newPublished(track rollout.Track, release Release, compiled *policy.Compiled, work compileWork) *published {
	p := &published{
		position: position{release.Epoch, release.Version, string(release.Root)},
		release:  release, policy: compiled, revoked: work.revoked, track: track, stage: work.state.Stage,
		deltas: make(map[position]func() (*agentv1.WatchResponse, error)),
	}
	p.asOne = sync.OnceValues(func() ([]*agentv1.WatchResponse, error) {
		message, err := snapshotFrame(p.snapshot())
		return []*agentv1.WatchResponse{message}, err
	})
	p.asParts = sync.OnceValues(func() ([]*agentv1.WatchResponse, error) { return chunkFrames(p.snapshot()) })
	return p
}

func (p *published) snapshot() *agentv1.Snapshot {
	return &agentv1.Snapshot{Release: p.release.Signed, Resources: p.policy.Resources(), Revocations: p.revoked.signed}
}

// frames are the whole policy for an agent of a capability, in their order.
func (p *published) frames(capability int32) ([]*agentv1.WatchResponse, error) {
	if capability < capabilityDelta || p.policy.Bytes <= chunkBytes {
		return p.asOne()
	}
	return p.asParts()
}

// deltaFrom returns the message that makes this policy of another at a position; nil
// where it would be larger than a chunk.
func (p *published) deltaFrom(at position, base *policy.Compiled) (*agentv1.WatchResponse, error) {
	p.mu.Lock()
	encode, ok := p.deltas[at]
	if !ok && len(p.deltas) < maxDeltas {
		encode = sync.OnceValues(func() (*agentv1.WatchResponse, error) { return p.encodeDelta(at, base) })
		p.deltas[at] = encode
	}
	p.mu.Unlock()
	if encode == nil {
		return nil, nil
	}
	return encode()
}

func (p *published) encodeDelta(at position, base *policy.Compiled) (*agentv1.WatchResponse, error) {
	d := p.policy.DeltaFrom(base)
	if d.Bytes > chunkBytes {
		return nil, nil
	}
	removed := make([]*agentv1.ResourceName, len(d.Removed))
	for i, name := range d.Removed {
		removed[i] = &agentv1.ResourceName{Kind: name.Kind, Id: name.ID}
	}
	return encodeOnce(&agentv1.WatchResponse{Message: &agentv1.WatchResponse_Delta{Delta: &agentv1.Delta{
		Release: p.release.Signed,
		Base:    &agentv1.PolicyPosition{Epoch: at.epoch, Version: at.version, Root: []byte(at.root)},
		Changed: d.Changed,
		Removed: removed,
	}}})
}
