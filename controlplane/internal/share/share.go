// Package share holds what is said of who gets how much of a provider's own limits: the
// weights of projects and keys, the priorities of keys, the queues of providers.
package share

import (
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	maxWeight   = 100
	maxRequests = 1000
	maxWaitMS   = 60_000
)

// Weight of a project or key; 0 is 1, and is how 1 is kept.
type Weight int32

// Complete is the weight in its one form, or an Invalid fault about the field weight.
func (w Weight) Complete() (Weight, error) {
	if w < 0 || w > maxWeight {
		return w, fault.Field("weight", "want 1 to %d, got %d", maxWeight, w)
	}
	if w == 1 {
		w = 0
	}
	return w, nil
}

// Effective is 1 to 100.
func (w Weight) Effective() int32 { return int32(max(w, 1)) }

// CompletePriority is a priority in its one form, which of NORMAL is to say nothing.
func CompletePriority(p eventv1.Priority) (eventv1.Priority, error) {
	switch p {
	case eventv1.Priority_PRIORITY_UNSPECIFIED, eventv1.Priority_PRIORITY_NORMAL:
		return eventv1.Priority_PRIORITY_UNSPECIFIED, nil
	case eventv1.Priority_PRIORITY_BATCH, eventv1.Priority_PRIORITY_INTERACTIVE:
		return p, nil
	}
	return p, fault.Field("priority", "want batch, normal or interactive")
}

// Queue is how requests wait for a provider's account. Zero: they don't.
type Queue struct {
	MaxRequests int32 `json:"max_requests"`
	MaxWaitMS   int64 `json:"max_wait_ms"`
}

// Check returns an Invalid fault about the field queue.
func (q Queue) Check() error {
	if q == (Queue{}) {
		return nil
	}
	if q.MaxRequests < 1 || q.MaxRequests > maxRequests {
		return fault.Field("queue.max_requests", "want 1 to %d, got %d", maxRequests, q.MaxRequests)
	}
	if q.MaxWaitMS < 1 || q.MaxWaitMS > maxWaitMS {
		return fault.Field("queue.max_wait_ms", "want 1 to %d, got %d", maxWaitMS, q.MaxWaitMS)
	}
	return nil
}

// ToEvent is nil where nothing waits.
func (q Queue) ToEvent() *eventv1.Queue {
	if q == (Queue{}) {
		return nil
	}
	return &eventv1.Queue{MaxRequests: q.MaxRequests, MaxWaitMs: q.MaxWaitMS}
}

// FromEvent reads what an event says.
func FromEvent(q *eventv1.Queue) Queue {
	return Queue{MaxRequests: q.GetMaxRequests(), MaxWaitMS: q.GetMaxWaitMs()}
}
