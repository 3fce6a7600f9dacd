package proxy

import (
	"net/http"
	"sync/atomic"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// tally counts requests whose outcome tells of the policy, the upstreams or this
// agent, and those of them that failed.
type tally struct{ requests, failures atomic.Int64 }

// Tally returns how many requests were forwarded, or could not be, since the start, and
// how many of them failed for no fault of the caller. Those that the caller left, and
// those that were refused for what the caller sent, are in neither.
func (h *Handler) Tally() (requests, failures int64) {
	failures = h.tally.failures.Load() // first: no more failures than requests
	return h.tally.requests.Load(), failures
}

func (t *tally) count(outcome usagev1.Outcome, status int32) {
	failed := false
	switch outcome {
	case usagev1.Outcome_OUTCOME_OK:
	case usagev1.Outcome_OUTCOME_UPSTREAM_UNREACHABLE, usagev1.Outcome_OUTCOME_UPSTREAM_BROKE:
		failed = true
	case usagev1.Outcome_OUTCOME_UPSTREAM_ERROR:
		failed = !callersFault(status)
	case usagev1.Outcome_OUTCOME_REFUSED:
		if status < http.StatusInternalServerError {
			return
		}
		failed = true
	default:
		return
	}
	t.requests.Add(1)
	if failed {
		t.failures.Add(1)
	}
}

// callersFault tells answers of upstreams to a body that is wrong from those to a
// credential, a model or a path, which the policy chose, and to their own trouble.
func callersFault(status int32) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}
