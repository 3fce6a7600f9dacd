package usage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// The ways of usage.
const (
	ByRelay = "relay"
	ByKafka = "kafka"
)

// Ways are the senders that there are, of which one is used at a time.
type Ways struct {
	senders map[string]Sender

	mu       sync.Mutex
	now      string
	switched chan struct{} // closed and replaced when another one is used
}

var _ Sender = (*Ways)(nil)

// NewWays begins with the one of this name; an error where it is none of them.
func NewWays(first string, senders map[string]Sender) (*Ways, error) {
	w := &Ways{senders: senders, switched: make(chan struct{})}
	return w, w.Switch(first)
}

// Send is the present way's. A call that is under way ends before another way is used.
func (w *Ways) Send(ctx context.Context, messages []Message) (taken int, err error) {
	return w.senders[w.Now()].Send(ctx, messages)
}

// Switch takes effect with the next call; the error says which ways there are.
func (w *Ways) Switch(to string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.senders[to] == nil {
		return fmt.Errorf("usage can't go by %q: this agent is configured for %s", to, strings.Join(w.Names(), " and "))
	}
	if w.now != to {
		w.now = to
		close(w.switched)
		w.switched = make(chan struct{})
	}
	return nil
}

// Now is the way that the next call goes.
func (w *Ways) Now() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Names are those of all ways, sorted.
func (w *Ways) Names() []string { return slices.Sorted(maps.Keys(w.senders)) }

// Switched is closed with the next switch.
func (w *Ways) Switched() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.switched
}
