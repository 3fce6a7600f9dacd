package fleet

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/rollout"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const (
	// maxUnfit bounds of how many agents one ask is told why they can't be asked.
	maxUnfit = 5
	// forgetAsks is between two sweeps of asks that nobody waits for.
	forgetAsks = time.Minute
	// putBackTimeout bounds how long a stream that ended waits for the store.
	putBackTimeout = 5 * time.Second
)

// deliverAsks looks for asks while agents are connected, and gives each to one that can
// answer.
func (h *Handler) deliverAsks(ctx context.Context) {
	var noted map[AskRef]bool
	swept := time.Now()
	for sleep(ctx, h.Timing.Asks) {
		if h.hub.empty() {
			continue
		}
		var err error
		if noted, err = h.deliver(ctx, noted); err == nil && time.Since(swept) > forgetAsks {
			swept = time.Now()
			err = h.Asks.Forget(ctx)
		}
		if err != nil && ctx.Err() == nil {
			h.Log.Warn("agents can't be asked", "error", err)
			sleep(ctx, h.Timing.Retry)
		}
	}
}

// deliver returns of which open asks it is known that agents here can't answer them.
func (h *Handler) deliver(ctx context.Context, noted map[AskRef]bool) (map[AskRef]bool, error) {
	open, err := h.Asks.Open(ctx)
	if err != nil || len(open) == 0 {
		return nil, err
	}
	still := make(map[AskRef]bool)
	var takings []AskTaking
	chosen, planned := make(map[AskRef]delivery), make(map[*watcher]int)
	for _, ask := range open {
		best, unfit := h.hub.fit(ask, planned)
		switch {
		case best != nil:
			takings = append(takings, AskTaking{ask.AskRef, best.agent.ID})
			chosen[ask.AskRef] = delivery{best, ask.Question}
			planned[best]++
		case noted[ask.AskRef]:
			still[ask.AskRef] = true
		case len(unfit) > 0:
			still[ask.AskRef] = true
			if err := h.Asks.Note(ctx, ask.AskRef, unfit); err != nil {
				return still, err
			}
		}
	}
	if len(takings) == 0 {
		return still, nil
	}
	taken, err := h.Asks.Take(ctx, takings)
	for _, ref := range taken {
		if to := chosen[ref]; !to.watcher.ask(ref, to.question) {
			h.putBack(AskTaking{ref, to.watcher.agent.ID}) // its stream ended meanwhile
		}
	}
	return still, err
}

// delivery is which stream gets which question.
type delivery struct {
	watcher  *watcher
	question []byte
}

// putBackAsks lets others answer what a stream that ended was given.
func (h *Handler) putBackAsks(w *watcher) {
	for _, ref := range w.endAsks() {
		h.putBack(AskTaking{ref, w.agent.ID})
	}
}

func (h *Handler) putBack(taking AskTaking) {
	ctx, cancel := context.WithTimeout(context.Background(), putBackTimeout)
	defer cancel()
	if err := h.Asks.PutBack(ctx, taking); err != nil {
		h.Log.Warn("an ask waits for an agent that is gone", "ask_id", taking.ID, "agent_id", taking.AgentID, "error", err)
	}
}

// fit returns the stream of an agent that can answer, of several one that was asked
// least, counting what is planned for it; nil: there is none here, and why those that are
// here can't.
func (h *hub) fit(ask OpenAsk, planned map[*watcher]int) (best *watcher, unfit map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	load := func(w *watcher) int { return w.load() + planned[w] }
	unfit = make(map[string]string)
	for w := range h.watching(ask.OrganizationID, ask.GatewayID) {
		id := w.agent.ID
		switch {
		case ask.AgentID != uuid.Nil && ask.AgentID != id || slices.Contains(ask.Tried, id):
		case w.capability < capabilityAsk:
			if len(unfit) < maxUnfit {
				unfit[id.String()] = fmt.Sprintf("agent %q has capability %d and must have %d: upgrade it", w.agent.Name, w.capability, capabilityAsk)
			}
		case best == nil || load(w) < load(best):
			best = w
		}
	}
	return best, unfit
}

// watching are the streams of a gateway, in all its tracks. The hub is locked.
func (h *hub) watching(organization, gateway uuid.UUID) iter.Seq[*watcher] {
	return func(yield func(*watcher) bool) {
		for _, track := range rollout.Tracks {
			f, found := h.feeds[place{organization, gateway, track}]
			if found && !f.each(yield) {
				return
			}
		}
	}
}

func (f *feed) each(yield func(*watcher) bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		if !yield(w) {
			return false
		}
	}
	return true
}

func (h *hub) empty() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.feeds) == 0
}

// askBox is what one stream was given to ask, in its watcher's lock.
type askBox struct {
	closed bool
	unsent []*agentv1.Ask
	given  map[AskRef]time.Time
}

// ask gives the stream a question; false: it has ended.
func (w *watcher) ask(ref AskRef, question []byte) bool {
	ask := &agentv1.Ask{}
	if err := proto.Unmarshal(question, ask); err != nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.box.closed {
		return false
	}
	if w.box.given == nil {
		w.box.given = make(map[AskRef]time.Time)
	}
	w.box.given[ref] = time.Now()
	w.box.unsent = append(w.box.unsent, ask)
	w.notify()
	return true
}

func (w *watcher) takeAsks() []*agentv1.Ask {
	w.mu.Lock()
	defer w.mu.Unlock()
	asks := w.box.unsent
	w.box.unsent = nil
	return asks
}

// endAsks takes no more, and returns what may not be answered yet.
func (w *watcher) endAsks() (given []AskRef) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.box.closed = true
	for ref, at := range w.box.given {
		if time.Since(at) < askLife {
			given = append(given, ref)
		}
	}
	return given
}

// deliveredAsks of a poll are the agent's to answer, though the poll is over.
func (w *watcher) deliveredAsks() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.box.unsent) == 0 {
		clear(w.box.given)
	}
}

// load is how many asks the stream was given of late.
func (w *watcher) load() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ref, at := range w.box.given {
		if time.Since(at) >= askLife {
			delete(w.box.given, ref)
		}
	}
	return len(w.box.given)
}

// sendAsks tells the agent what it is asked.
func (s *session) sendAsks() error {
	for _, ask := range s.watcher.takeAsks() {
		s.asks++
		if err := s.say(&agentv1.WatchResponse{Message: &agentv1.WatchResponse_Ask{Ask: ask}}); err != nil {
			return err
		}
	}
	return nil
}
