package fleet

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/weirhq/weir/dataplane/agenttest"
)

// measurement notes when each agent first serves what is waited for.
type measurement struct {
	began time.Time
	is    func(agenttest.Position) bool

	mu    sync.Mutex
	at    []time.Time
	done  int
	noted chan struct{}
}

func newMeasurement(agents int, is func(agenttest.Position) bool) *measurement {
	return &measurement{began: time.Now(), is: is, at: make([]time.Time, agents), noted: make(chan struct{}, 1)}
}

func (m *measurement) note(agent int, p agenttest.Position) {
	now := time.Now()
	if !m.is(p) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if agent >= len(m.at) || !m.at[agent].IsZero() {
		return
	}
	m.at[agent] = now
	m.done++
	select {
	case m.noted <- struct{}{}:
	default:
	}
}

// await returns once so many agents serve it.
func (m *measurement) await(ctx context.Context, agents int) error {
	for {
		m.mu.Lock()
		done := m.done
		m.mu.Unlock()
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

// spans are from the beginning to when each agent served it.
func (m *measurement) spans() []time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	spans := make([]time.Duration, 0, len(m.at))
	for _, at := range m.at {
		spans = append(spans, at.Sub(m.began))
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
