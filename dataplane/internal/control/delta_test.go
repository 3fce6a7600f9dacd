package control_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// with returns a draft of a version with these resources.
func with(version int64, resources []*resource) *draft {
	d := newDraft(version)
	d.resources = resources
	d.header.Root, d.header.ResourceCount = rootOf(resources), int32(len(resources))
	return d
}

func positionOf(d *draft) *agentv1.PolicyPosition {
	return &agentv1.PolicyPosition{Epoch: d.header.GetEpoch(), Version: d.header.GetVersion(), Root: d.header.GetRoot()}
}

// delta makes next of base.
func (l *liar) delta(base, next *draft) *agentv1.Delta {
	were := make(map[string]*resource)
	for _, r := range base.resources {
		were[r.GetKind()+" "+r.GetId()] = r
	}
	d := &agentv1.Delta{Release: l.sign(next).GetRelease(), Base: positionOf(base)}
	for _, r := range next.resources {
		was := were[r.GetKind()+" "+r.GetId()]
		if delete(were, r.GetKind()+" "+r.GetId()); !proto.Equal(was, r) {
			d.Changed = append(d.Changed, r)
		}
	}
	for _, r := range were {
		d.Removed = append(d.Removed, &agentv1.ResourceName{Kind: r.GetKind(), Id: r.GetId()})
	}
	return d
}

func (l *liar) sendDelta(d *agentv1.Delta) {
	l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_Delta{Delta: d}}
}

// chunked sends a snapshot in parts of n resources; the first so many of them.
func (l *liar) chunked(d *draft, n, parts int) {
	s := l.sign(d)
	resources := s.Resources
	s.Resources, s.Chunks = nil, int32((len(resources)+n-1)/n)
	l.snapshot(s)
	for i := range min(int(s.GetChunks()), parts) {
		l.chunk(int32(i), resources[i*n:min(len(resources), (i+1)*n)])
	}
}

func (l *liar) chunk(index int32, resources []*resource) {
	l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_Chunk{Chunk: &agentv1.SnapshotChunk{Index: index, Resources: resources}}}
}

func (p *plane) serves(version int64) func() bool {
	return func() bool { v, _ := p.now(); return v == version }
}

func TestDelta(t *testing.T) {
	t.Run("makes_the_next_policy", func(t *testing.T) {
		l, p := serving(t)
		next := with(6, []*resource{{Kind: "gateway", Id: gateway, Body: []byte{1}}, {Kind: "key", Id: "other", Body: []byte{2}}})
		l.sendDelta(l.delta(newDraft(5), next))
		eventually(t, "version 6 is served", p.serves(6))
		l.sendDelta(l.delta(next, with(7, nil)))
		eventually(t, "version 7 is served, which is empty", p.serves(7))
		if n := l.streams(); n != 1 {
			t.Errorf("%d streams", n)
		}
		if _, r := p.now(); r != 2 {
			t.Errorf("revocations went from 2 to %d", r)
		}
	})
	for name, bend := range map[string]func(*agentv1.Delta){
		"another_version": func(d *agentv1.Delta) { d.Base.Version-- },
		"another_epoch":   func(d *agentv1.Delta) { d.Base.Epoch++ },
		"another_root":    func(d *agentv1.Delta) { d.Base.Root = make([]byte, 32) },
		"wrong_content":   func(d *agentv1.Delta) { d.Changed[0].Body = []byte{99} },
		"changed_is_gone": func(d *agentv1.Delta) { d.Changed = nil },
		"one_removed_more": func(d *agentv1.Delta) {
			d.Removed = append(d.Removed, &agentv1.ResourceName{Kind: "gateway", Id: gateway})
		},
		"one_added_more": func(d *agentv1.Delta) { d.Changed = append(d.Changed, &policyv1.Resource{Kind: "key", Id: "x"}) },
		"changed_twice":  func(d *agentv1.Delta) { d.Changed = append(d.Changed, d.Changed[0]) },
	} {
		t.Run("that_does_not_fit_is_not_served/"+name, func(t *testing.T) {
			l, p := serving(t)
			for n := range 2 {
				bad := l.delta(newDraft(5), newDraft(6))
				bend(bad)
				streams := l.streams()
				l.sendDelta(bad)
				eventually(t, "another stream begins", func() bool { return l.streams() > streams })
				if last := l.lastWatch(); last.GetHave().GetVersion() != 5 || last.GetWhole() != (n == 1) || last.GetRejectedRoot() != nil {
					t.Errorf("after %d that did not fit the agent asks for %v", n+1, last)
				}
				if v, _ := p.now(); v != 5 {
					t.Fatalf("version %d is served", v)
				}
			}
			good := l.sign(newDraft(6))
			eventually(t, "a snapshot is served", func() bool {
				l.again(func() { l.snapshot(good) })
				return p.serves(6)()
			})
			l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_GoAway{GoAway: &agentv1.GoAway{}}}
			eventually(t, "deltas are welcome again", func() bool { return l.lastWatch().GetHave().GetVersion() == 6 && !l.lastWatch().GetWhole() })
		})
	}
	t.Run("forged", func(t *testing.T) {
		l, p := serving(t)
		bad := l.delta(newDraft(5), newDraft(6))
		bad.Release.Signature[1] ^= 1
		l.sendDelta(bad)
		l.rejection(t)
		if v, _ := p.now(); v != 5 {
			t.Errorf("version %d is served", v)
		}
	})
	t.Run("refused_by_compile", func(t *testing.T) {
		l, p := serving(t)
		p.compile = func(r *release) error {
			if r.GetVersion() == 6 {
				return errors.New("no")
			}
			return nil
		}
		l.sendDelta(l.delta(newDraft(5), newDraft(6)))
		l.rejection(t)
		streams := l.streams()
		l.sendDelta(l.delta(newDraft(6), newDraft(7))) // from what the control plane takes for served
		eventually(t, "another stream begins", func() bool { return l.streams() > streams })
		last := l.lastWatch()
		if last.GetHave().GetVersion() != 5 || !bytes.Equal(last.GetRejectedRoot(), newDraft(6).header.GetRoot()) || last.GetWhole() {
			t.Errorf("the agent asks for %v", last)
		}
		for range 2 { // from what is served, with other content
			bad := l.delta(newDraft(5), newDraft(7))
			bad.Changed = nil
			streams = l.streams()
			l.sendDelta(bad)
			eventually(t, "another stream begins", func() bool { return l.streams() > streams })
		}
		if !l.lastWatch().GetWhole() {
			t.Error("after a refusal the agent never asks for the whole policy")
		}
		good := l.delta(newDraft(5), newDraft(7))
		eventually(t, "the next one is served", func() bool {
			l.again(func() { l.sendDelta(good) })
			return p.serves(7)()
		})
	})
}

func TestSnapshotInChunks(t *testing.T) {
	var resources []*resource
	for n := range 10 {
		resources = append(resources, &resource{Kind: "key", Id: fmt.Sprint(n), Body: []byte{byte(n)}})
	}
	next := with(6, resources)
	t.Run("is_served_when_it_is_whole", func(t *testing.T) {
		l, p := serving(t)
		l.chunked(next, 3, 3)
		l.revoke(l.signSet(revoked(1, 4)))
		eventually(t, "a revocation between chunks is in force", func() bool { _, r := p.now(); return r == 4 })
		if v, _ := p.now(); v != 5 {
			t.Errorf("version %d is served before the last chunk", v)
		}
		l.chunk(3, resources[9:])
		eventually(t, "version 6 is served", p.serves(6))
		if _, r := p.now(); r != 4 {
			t.Errorf("revocations went from 4 to %d", r)
		}
		l.sendDelta(l.delta(next, newDraft(7)))
		eventually(t, "a delta goes on from it", p.serves(7))
	})
	t.Run("that_is_served_already_is_skipped", func(t *testing.T) {
		l, p := serving(t)
		l.chunked(newDraft(5), 1, 2)
		l.sendDelta(l.delta(newDraft(5), newDraft(6)))
		eventually(t, "the stream goes on", p.serves(6))
		if n := l.streams(); n != 1 {
			t.Errorf("%d streams", n)
		}
	})
	for name, send := range map[string]func(l *liar){
		"ends_in_the_middle": func(l *liar) {
			l.chunked(next, 3, 3)
			l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_GoAway{GoAway: &agentv1.GoAway{}}}
		},
		"one_is_missing":     func(l *liar) { l.chunked(next, 3, 1); l.chunk(2, resources[6:9]) },
		"one_comes_twice":    func(l *liar) { l.chunked(next, 3, 1); l.chunk(0, resources[:3]) },
		"more_than_it_says":  func(l *liar) { l.chunked(next, 3, 3); l.chunk(3, resources) },
		"less_than_it_says":  func(l *liar) { l.chunked(next, 3, 3); l.chunk(3, nil) },
		"without_a_head":     func(l *liar) { l.chunk(0, resources) },
		"other_content":      func(l *liar) { l.chunked(next, 3, 3); l.chunk(3, []*resource{{Kind: "key", Id: "9"}}) },
		"more_parts_than_it": func(l *liar) { s := l.sign(next); s.Resources, s.Chunks = nil, 11; l.snapshot(s) },
		"head_with_content":  func(l *liar) { s := l.sign(next); s.Chunks = 1; l.snapshot(s) },
		"too_large": func(l *liar) {
			s := l.sign(next)
			s.Resources, s.Chunks = nil, 3
			l.snapshot(s)
			for i := range int32(3) {
				l.chunk(i, []*resource{{Kind: "key", Id: fmt.Sprint(i), Body: make([]byte, 33<<20)}})
			}
		},
		"forged": func(l *liar) {
			s := l.sign(next)
			s.Resources, s.Chunks = nil, 1
			s.Release.Signature[2] ^= 1
			l.snapshot(s)
		},
	} {
		t.Run("changes_nothing/"+name, func(t *testing.T) {
			l, p := serving(t)
			send(l)
			eventually(t, "another stream begins", func() bool { return l.streams() == 2 })
			if have := l.lastWatch().GetHave(); have.GetVersion() != 5 {
				t.Errorf("the agent has %v", have)
			}
			good := newDraft(7)
			eventually(t, "the next one is served", func() bool {
				l.again(func() { l.chunked(good, 1, 2) })
				return p.serves(7)()
			})
		})
	}
}

// Whatever comes as a delta, in chunks or as one message, and whatever versions are left
// out: the policy of each version is served, on one stream.
func TestRandomDeltas(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	l, p := newLiar(t), &plane{}
	run(t, p.config(l.url, t.TempDir()))
	base, version := newDraft(1), int64(1)
	l.snapshot(l.sign(base))
	for range 60 {
		resources := append([]*resource(nil), base.resources...)
		for range 1 + dice.IntN(5) { // versions that the agent never sees
			version++
			at := dice.IntN(len(resources) + 1)
			switch changed := (&resource{Kind: "key", Id: fmt.Sprint(dice.IntN(50)), Body: []byte{byte(version)}}); {
			case at == len(resources) || dice.IntN(2) == 0:
				for i := range resources {
					if resources[i].GetId() == changed.GetId() {
						resources = append(resources[:i:i], resources[i+1:]...)
						break
					}
				}
				resources = append(resources, changed)
			case len(resources) > 1:
				resources = append(resources[:at:at], resources[at+1:]...)
			}
		}
		next := with(version, resources)
		switch dice.IntN(4) {
		case 0:
			l.snapshot(l.sign(next))
		case 1:
			l.chunked(next, 1+dice.IntN(4), len(resources))
		default:
			l.sendDelta(l.delta(base, next))
		}
		eventually(t, fmt.Sprintf("version %d is served", version), p.serves(version))
		base = next
	}
	if n := l.streams(); n != 1 {
		t.Errorf("%d streams", n)
	}
}

// What a build refused it is not sent again, also after a restart; another build is.
func TestRefusedIsRemembered(t *testing.T) {
	l, dir := newLiar(t), t.TempDir()
	start := func(version string) (p *plane, stop func()) {
		p = &plane{compile: func(r *release) error {
			if r.GetVersion() == 6 {
				return errors.New("it has a fault")
			}
			return nil
		}}
		config := p.config(l.url, dir)
		config.Version = version
		_, stop = run(t, config)
		return p, stop
	}
	p, stop := start("1")
	l.snapshot(l.sign(newDraft(5)))
	eventually(t, "version 5 is served", p.serves(5))
	l.snapshot(l.sign(newDraft(6)))
	l.rejection(t)
	stop()

	streams := l.streams()
	_, stop = start("1")
	eventually(t, "it is back", func() bool { return l.streams() > streams })
	if root := l.lastWatch().GetRejectedRoot(); !bytes.Equal(root, newDraft(6).header.GetRoot()) {
		t.Errorf("after a restart it refuses %x", root)
	}
	for len(l.reports) > 0 {
		<-l.reports
	}
	if report := l.rejection(t); len(report.GetReasons()) != 1 || report.GetReasons()[0] != "it has a fault" {
		t.Errorf("after a restart its reasons are %q", report.GetReasons())
	}
	stop()

	streams = l.streams()
	p, stop = start("2")
	eventually(t, "another build is there", func() bool { return l.streams() > streams })
	if root := l.lastWatch().GetRejectedRoot(); root != nil {
		t.Errorf("another build refuses %x", root)
	}
	seven := l.sign(newDraft(7))
	eventually(t, "version 7 is served", func() bool {
		l.again(func() { l.snapshot(seven) })
		return p.serves(7)()
	})
	stop()
	streams = l.streams()
	start("1")
	eventually(t, "the first build is back", func() bool { return l.streams() > streams })
	if root := l.lastWatch().GetRejectedRoot(); root != nil {
		t.Errorf("it still refuses %x, and serves something newer", root)
	}
}

func TestGoAway(t *testing.T) {
	l, p := serving(t)
	for version := int64(6); version < 9; version++ {
		streams := l.streams()
		l.send <- &agentv1.WatchResponse{Message: &agentv1.WatchResponse_GoAway{GoAway: &agentv1.GoAway{SpreadMs: 300}}}
		began := time.Now()
		eventually(t, "it comes back", func() bool { return l.streams() > streams })
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it came back after %v", took)
		}
		if have := l.lastWatch().GetHave(); have.GetVersion() != version-1 {
			t.Errorf("it has %v", have)
		}
		next := l.delta(newDraft(version-1), newDraft(version))
		eventually(t, "nothing is lost", func() bool {
			l.again(func() { l.sendDelta(next) })
			return p.serves(version)()
		})
	}
}
