package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// hub knows who is connected, and keeps a feed for each track of a gateway that has
// watchers.
type hub struct {
	config   Config
	compiles chan struct{} // bounds how many policies are compiled at once
	draining chan struct{}
	// admission is for snapshots of all gateways together.
	admission *admission

	mu      sync.Mutex
	drained bool
	feeds   map[place]*feed
	streams sync.WaitGroup
	running sync.WaitGroup
}

// place is one track of a gateway of an organization.
type place struct {
	organization, gateway uuid.UUID
	track                 rollout.Track
}

// watcher is one stream, or one poll, of one agent. What it is to send lies in its feed; wake
// says only that there is something new.
type watcher struct {
	agent      gateway.Agent
	capability int32
	hub        *hub
	wake       chan struct{}
	ended      chan struct{} // holds one where the agent was revoked

	// Of the hub's lock: where it is, and by the log's word at which version.
	feed   *feed
	placed int64

	mu      sync.Mutex
	settled []*agentv1.SettledRange
	grown   bool
	box     askBox
}

const (
	parallelCompiles = 4
	// snapshotBytes of policies that are sent whole at one time.
	snapshotBytes = 128 << 20
)

func newHub(config Config) *hub {
	return &hub{
		config:    config,
		compiles:  make(chan struct{}, parallelCompiles),
		draining:  make(chan struct{}),
		feeds:     make(map[place]*feed),
		admission: newAdmission(snapshotBytes, config.Timing.Snapshot),
	}
}

// join adds a watcher to its gateway's stable feed, from where it finds its own,
// starting the feed where it is the first; ok is false when the process is about to end.
func (h *hub) join(agent gateway.Agent, capability int32) (w *watcher, leave func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.drained {
		return nil, nil, false
	}
	w = &watcher{agent: agent, capability: capability, hub: h, wake: make(chan struct{}, 1), ended: make(chan struct{}, 1)}
	h.enter(w, rollout.Stable)
	h.streams.Add(1)
	return w, func() { h.leave(w) }, true
}

func (h *hub) leave(w *watcher) {
	h.mu.Lock()
	h.exit(w)
	h.mu.Unlock()
	h.streams.Done()
}

func (h *hub) enter(w *watcher, track rollout.Track) {
	at := place{w.agent.OrganizationID, w.agent.GatewayID, track}
	f, found := h.feeds[at]
	if !found {
		f = h.start(at)
	}
	w.feed = f
	f.add(w)
}

// exit keeps the feed of the last one for a while: agents that reconnect or poll find
// it compiled, and what they have as a base. Nobody comes back to a track that is over.
func (h *hub) exit(w *watcher) {
	if f := w.feed; f.remove(w) == 0 {
		if stage, version := f.staged(); version > 0 && !stage.Has(f.track) && h.feeds[f.place] == f {
			delete(h.feeds, f.place)
			f.stop()
			return
		}
		f.leftAt = time.Now()
		time.AfterFunc(h.config.Timing.Linger, func() { h.drop(f) })
	}
}

// follow returns the feed of the track that the watcher's agent is in by now. The feeds
// of both tracks read the log on their own: what the slower one says does not count.
func (w *watcher) follow() *feed {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	stage, version := w.feed.staged()
	if version <= w.placed {
		return w.feed
	}
	w.placed = version
	if track := stage.TrackOf(w.agent.ID); track != w.feed.track {
		w.hub.exit(w)
		w.hub.enter(w, track)
	}
	return w.feed
}

// drop ends a feed unless somebody came back.
func (h *hub) drop(f *feed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.deserted() && time.Since(f.leftAt) >= h.config.Timing.Linger && h.feeds[f.place] == f {
		delete(h.feeds, f.place)
		f.stop()
	}
}

// start runs a feed until it has had no watchers for a while: nothing of the first one's
// request may live on in it.
func (h *hub) start(at place) *feed {
	ctx, stop := context.WithCancel(context.Background())
	f := newFeed(h.config, at, stop)
	h.feeds[at] = f
	h.running.Go(func() { f.read(ctx) })
	h.running.Go(func() { f.compile(ctx, h.compiles) })
	h.running.Go(func() { f.examine(ctx) })
	f.changed()
	return f
}

func (h *hub) changed(organization uuid.UUID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for at, f := range h.feeds {
		if at.organization == organization {
			f.changed()
		}
	}
}

// drain sends all watchers away and waits for them and their feeds.
func (h *hub) drain() {
	h.mu.Lock()
	h.drained = true
	h.mu.Unlock()
	close(h.draining)
	h.streams.Wait()
	h.mu.Lock()
	for _, f := range h.feeds {
		f.stop()
	}
	h.mu.Unlock()
	h.running.Wait()
}

// connected lists the streams of each agent by its id.
func (h *hub) connected() map[string][]*watcher {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make(map[string][]*watcher)
	for _, f := range h.feeds {
		f.collect(all)
	}
	return all
}

func (w *watcher) notify() { signal(w.wake) }

func (w *watcher) end() { signal(w.ended) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
