package fleettest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/policy"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Follower makes of what is sent to it what an agent makes of it, and checks the
// roots. It checks no signatures and stores nothing.
type Follower struct {
	// Have is what it holds; nil: nothing.
	Have       *agentv1.PolicyPosition
	Capability int32
	// Trusting it computes no roots, to measure others.
	Trusting bool
	// Signed is the release that it holds, as it came.
	Signed *policyv1.SignedRelease
	// Snapshots, Deltas and Chunks count what came.
	Snapshots, Deltas, Chunks int

	resources map[policy.Name]*policyv1.Resource
	head      *agentv1.Snapshot // of a snapshot in chunks, with those that came
	next      int32
}

// NewFollower understands all that this build sends.
func NewFollower() *Follower { return &Follower{Capability: 4} }

// Request of its next stream.
func (f *Follower) Request() *agentv1.WatchRequest {
	f.head = nil
	return &agentv1.WatchRequest{Have: f.Have, Capability: f.Capability, Release: f.Signed}
}

// Take follows one message; an error says how it does not fit.
func (f *Follower) Take(m *agentv1.WatchResponse) error {
	switch m := m.GetMessage().(type) {
	case *agentv1.WatchResponse_Snapshot:
		f.Snapshots++
		if f.head, f.next = m.Snapshot, 0; m.Snapshot.GetChunks() > 0 {
			return nil
		}
		return f.whole()
	case *agentv1.WatchResponse_Chunk:
		return f.chunk(m.Chunk)
	case *agentv1.WatchResponse_Delta:
		f.Deltas++
		return f.delta(m.Delta)
	case *agentv1.WatchResponse_Revocations:
		return f.revoke(m.Revocations)
	default:
		return nil
	}
}

func (f *Follower) chunk(c *agentv1.SnapshotChunk) error {
	f.Chunks++
	if f.head == nil || c.GetIndex() != f.next {
		return fmt.Errorf("chunk %d came, want %d", c.GetIndex(), f.next)
	}
	f.head.Resources = append(f.head.Resources, c.GetResources()...)
	if f.next++; f.next < f.head.GetChunks() {
		return nil
	}
	return f.whole()
}

func (f *Follower) whole() error {
	resources := make(map[policy.Name]*policyv1.Resource)
	for _, r := range f.head.GetResources() {
		resources[policy.Name{Kind: r.GetKind(), ID: r.GetId()}] = r
	}
	release, revocations := f.head.GetRelease(), f.head.GetRevocations()
	f.head = nil
	if err := f.hold(release, resources); err != nil {
		return err
	}
	return f.revoke(revocations)
}

func (f *Follower) delta(d *agentv1.Delta) error {
	base := d.GetBase()
	if base.GetEpoch() != f.Have.GetEpoch() || base.GetVersion() != f.Have.GetVersion() || !bytes.Equal(base.GetRoot(), f.Have.GetRoot()) {
		return fmt.Errorf("a delta from %v came, %v is held", base, f.Have)
	}
	resources := maps.Clone(f.resources)
	for _, name := range d.GetRemoved() {
		delete(resources, policy.Name{Kind: name.GetKind(), ID: name.GetId()})
	}
	for _, r := range d.GetChanged() {
		resources[policy.Name{Kind: r.GetKind(), ID: r.GetId()}] = r
	}
	return f.hold(d.GetRelease(), resources)
}

func (f *Follower) hold(signed *policyv1.SignedRelease, resources map[policy.Name]*policyv1.Resource) error {
	release := &policyv1.Release{}
	if err := proto.Unmarshal(signed.GetRelease(), release); err != nil {
		return err
	}
	if f.Trusting {
		return f.keep(signed, release, resources)
	}
	if root := policy.Root(slices.Collect(maps.Values(resources))); !bytes.Equal(root, release.GetRoot()) {
		return fmt.Errorf("epoch %d version %d: root %x, the release says %x", release.GetEpoch(), release.GetVersion(), root, release.GetRoot())
	}
	return f.keep(signed, release, resources)
}

func (f *Follower) keep(signed *policyv1.SignedRelease, release *policyv1.Release, resources map[policy.Name]*policyv1.Resource) error {
	f.resources, f.Signed = resources, signed
	f.Have = &agentv1.PolicyPosition{
		Epoch: release.GetEpoch(), Version: release.GetVersion(), Root: release.GetRoot(), RevocationVersion: f.Have.GetRevocationVersion(),
	}
	return nil
}

// revoke keeps the larger set; one before the first policy is forgotten, which comes with it.
func (f *Follower) revoke(signed *policyv1.SignedRevocations) error {
	set := &policyv1.Revocations{}
	if err := proto.Unmarshal(signed.GetRevocations(), set); err != nil || f.Have == nil {
		return err
	}
	f.Have = proto.CloneOf(f.Have)
	f.Have.RevocationVersion = max(f.Have.GetRevocationVersion(), set.GetVersion())
	return nil
}
