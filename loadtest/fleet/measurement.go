package fleet

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/weirhq/weir/dataplane/agenttest"
)

// follows tells whether a position is what is waited for, or newer.
type follows func(agenttest.Position) bool

// measurement notes what each agent serves, and since when.
type measurement struct {
	began time.Time

	mu    sync.Mutex
	seen  [][]seen // by agent, in order
	noted chan struct{}
}

type seen struct {
	position agenttest.Position
	at       time.Time
}

func newMeasurement(agents int) *measurement {
	return &measurement{began: time.Now(), seen: make([][]seen, agents), noted: make(chan struct{}, 1)}
}

func (m *measurement) note(agent int, p agenttest.Position) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if agent < len(m.seen) {
		m.seen[agent] = append(m.seen[agent], seen{p, now})
	}
	select {
	case m.noted <- struct{}{}:
	default:
	}
}

// await returns once so many agents serve what follows.
func (m *measurement) await(ctx context.Context, agents int, is follows) error {
	for {
		done := len(m.spans(is))
		if done >= agents {
			return nil
		}
		select {
		case <-m.noted:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d agents serve it: %w", done, agents, context.Cause(ctx))
		}
	}
}

// spans are from the beginning to when each agent served what follows; those that do not
// are left out.
func (m *measurement) spans(is follows) (spans []time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, agent := range m.seen {
		if i := slices.IndexFunc(agent, func(s seen) bool { return is(s.position) }); i >= 0 {
			spans = append(spans, agent[i].at.Sub(m.began))
		}
	}
	return spans
}

// quantile of spans that are sorted.
func quantile(spans []time.Duration, q float64) time.Duration {
	return spans[min(len(spans)-1, int(q*float64(len(spans))))]
}

func sorted(spans []time.Duration) []time.Duration {
	slices.Sort(spans)
	return spans
}
