package fleet

import (
	"context"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// pollSettled asks for the settled usage of all connected agents in one query and
// wakes those whose has grown.
func (h *Handler) pollSettled(ctx context.Context) {
	for sleep(ctx, h.Timing.Settled) {
		connected := h.hub.connected()
		if len(connected) == 0 {
			continue
		}
		settled, err := h.Settled.SettledFor(ctx, slices.Sorted(maps.Keys(connected)))
		if err != nil {
			if ctx.Err() == nil {
				h.Log.Warn("settled usage is not known", "error", err)
			}
			continue
		}
		for id, watchers := range connected {
			for _, w := range watchers {
				w.setSettled(settled[id])
			}
		}
	}
}

func (w *watcher) setSettled(settled []*agentv1.SettledRange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	same := slices.EqualFunc(w.settled, settled, func(a, b *agentv1.SettledRange) bool { return proto.Equal(a, b) })
	if same {
		return
	}
	w.settled, w.grown = settled, true
	w.notify()
}

// hasGrown tells whether the ranges grew since they were taken last.
func (w *watcher) hasGrown() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.grown
}

func (w *watcher) takeSettled() []*agentv1.SettledRange {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.grown = false
	return w.settled
}
