package control

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/digest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// reception is what one stream brings, with the snapshot that it is in the middle of:
// when the stream ends that is gone.
type reception struct {
	client *Client

	head      *agentv1.Snapshot // nil: none is on its way
	count     int               // of its resources, as its release says; 0: it is not wanted
	resources []*policyv1.Resource
	digests   []digest.Resource // instead of resources, once those are too many bytes
	next      int32
	bytes     int
	names     int // bytes of all kinds and ids
}

// take returns an error where the stream should end.
func (r *reception) take(m *agentv1.WatchResponse) error {
	c := r.client
	switch m := m.GetMessage().(type) {
	case *agentv1.WatchResponse_Revocations:
		return c.applyRevocations(m.Revocations)
	case *agentv1.WatchResponse_Snapshot:
		return untrustedOnly(r.snapshot(m.Snapshot))
	case *agentv1.WatchResponse_Chunk:
		return untrustedOnly(r.chunk(m.Chunk))
	case *agentv1.WatchResponse_Delta:
		return c.applyDelta(m.Delta)
	case *agentv1.WatchResponse_Heartbeat:
		c.heartbeat(m.Heartbeat)
		return nil
	case *agentv1.WatchResponse_Ask:
		c.takeAsk(m.Ask)
		return nil
	case *agentv1.WatchResponse_GoAway:
		return &goAwayError{reason: m.GoAway.GetReason(), spread: time.Duration(m.GoAway.GetSpreadMs()) * time.Millisecond}
	default:
		return nil // a kind of message that later control planes know
	}
}

// untrustedOnly drops what is said of a policy that is genuine: the stream goes on.
func untrustedOnly(err error) error {
	if errors.Is(err, errUntrusted) {
		return err
	}
	return nil
}

func (r *reception) snapshot(s *agentv1.Snapshot) error {
	*r = reception{client: r.client}
	if s.GetChunks() == 0 {
		return r.client.applySnapshot(s)
	}
	count, err := r.client.expect(s)
	r.head, r.count = s, count
	return err
}

// expect returns how many resources follow a head; 0: this policy is not wanted.
func (c *Client) expect(s *agentv1.Snapshot) (count int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	file, err := verifyHead(c.identity.Load(), s)
	if err == nil {
		count = int(file.header.GetResourceCount())
		err = expectable(count, s)
	}
	if err == nil {
		err = c.admit(file)
	}
	if err != nil {
		return 0, c.turnAway(file, err)
	}
	return count, nil
}

func expectable(count int, s *agentv1.Snapshot) error {
	switch {
	case count > snapshot.MaxResources:
		return fmt.Errorf("%w: %d resources, at most %d are accepted", errTooLarge, count, snapshot.MaxResources)
	case s.GetChunks() < 0 || int(s.GetChunks()) > count:
		return untrusted("%d resources in %d chunks", count, s.GetChunks())
	case len(s.GetResources()) > 0:
		return untrusted("resources came before their chunks")
	}
	return nil
}

// chunk keeps the next resources within all bounds; the last one makes the policy whole.
func (r *reception) chunk(m *agentv1.SnapshotChunk) error {
	if r.head != nil && r.count == 0 {
		return nil
	}
	if err := r.keep(m); err != nil {
		*r = reception{client: r.client}
		r.client.mu.Lock()
		defer r.client.mu.Unlock()
		return r.client.turnAway(nil, err)
	}
	if r.next < r.head.GetChunks() {
		return nil
	}
	if r.bytes > snapshot.MaxBytes {
		return r.tooLarge()
	}
	whole := &agentv1.Snapshot{Release: r.head.GetRelease(), Resources: r.resources, Revocations: r.head.GetRevocations()}
	*r = reception{client: r.client}
	return r.client.applySnapshot(whole)
}

// keep holds MaxBytes and one message at most, and of what comes beyond, names and digests.
func (r *reception) keep(m *agentv1.SnapshotChunk) error {
	if r.head == nil {
		return untrusted("chunk %d came without a snapshot", m.GetIndex())
	}
	if m.GetIndex() != r.next {
		return untrusted("chunk %d came, want chunk %d", m.GetIndex(), r.next)
	}
	if total := len(r.resources) + len(r.digests) + len(m.GetResources()); total > r.count {
		return untrusted("the release counts %d resources, %d came", r.count, total)
	}
	for _, resource := range m.GetResources() {
		r.bytes += proto.Size(resource)
		if r.names += len(resource.GetKind()) + len(resource.GetId()); r.names > snapshot.MaxBytes {
			return untrusted("names of more than %d bytes", snapshot.MaxBytes)
		}
		r.resources = append(r.resources, resource)
		if r.bytes > snapshot.MaxBytes {
			r.digest()
		}
	}
	r.next++
	return nil
}

// digest gives up the content of what came so far: it is too large, which is believed
// only of the release's own resources.
func (r *reception) digest() {
	for _, resource := range r.resources {
		r.digests = append(r.digests, digest.Of(resource.GetKind(), resource.GetId(), resource.GetBody()))
	}
	r.resources = nil
}

// tooLarge has the control plane not send a policy again whose content was given up.
func (r *reception) tooLarge() error {
	c, signed, size, root := r.client, r.head, r.bytes, digest.Root(r.digests)
	*r = reception{client: c}
	c.mu.Lock()
	defer c.mu.Unlock()
	file, err := verifyHead(c.identity.Load(), signed)
	switch {
	case err != nil:
	case !bytes.Equal(root[:], file.header.GetRoot()):
		err = untrusted("the resources don't have the release's root")
	default:
		err = fmt.Errorf("%w: %d bytes, at most %d are accepted", errTooLarge, size, snapshot.MaxBytes)
	}
	return c.turnAway(file, err)
}
