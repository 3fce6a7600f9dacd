package route

import (
	"fmt"
	"slices"

	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	maxAttempts  = 5
	maxBackoffMS = 10_000
)

// Retry is when a request goes on to another attempt. What is not said is the
// agent's to fill in.
type Retry struct {
	// MaxAttempts of the whole request; 0: each target once.
	MaxAttempts int32 `json:"max_attempts,omitempty"`
	// BackoffMS is the most that the first repeat on a target waits; 0: not said.
	BackoffMS int64 `json:"backoff_ms,omitempty"`
	// On which failures; empty: RATE_LIMITED, OVERLOADED, UPSTREAM_ERROR, TIMEOUT and
	// UNREACHABLE.
	On []eventv1.Failure `json:"on,omitempty"`
}

func (r *Retry) check() error {
	if r == nil {
		return nil
	}
	if r.MaxAttempts < 0 || r.MaxAttempts > maxAttempts {
		return fault.Field("retry.max_attempts", "want 1 to %d, or 0 for each target once; got %d", maxAttempts, r.MaxAttempts)
	}
	if r.BackoffMS < 0 || r.BackoffMS > maxBackoffMS {
		return fault.Field("retry.backoff", "want 1 ms to %d s", maxBackoffMS/1000)
	}
	for i, failure := range r.On {
		field := fmt.Sprintf("retry.on[%d]", i)
		if _, known := eventv1.Failure_name[int32(failure)]; !known || failure == eventv1.Failure_FAILURE_UNSPECIFIED {
			return fault.Field(field, "want rate_limited, overloaded, upstream_error, timeout, unreachable, credential, context_too_long or content_filter")
		}
		if slices.Contains(r.On[:i], failure) {
			return fault.Field(field, "it is there twice")
		}
	}
	return nil
}

// toEvent is nil where nothing is said.
func (r *Retry) toEvent() *eventv1.Retry {
	if r == nil {
		return nil
	}
	return &eventv1.Retry{MaxAttempts: r.MaxAttempts, BackoffMs: r.BackoffMS, On: r.On}
}

func retryFromEvent(e *eventv1.Retry) *Retry {
	if e == nil {
		return nil
	}
	return &Retry{MaxAttempts: e.GetMaxAttempts(), BackoffMS: e.GetBackoffMs(), On: e.GetOn()}
}
