package proxy

import (
	"context"
	"errors"
	"net/http"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// ErrStopping is the cause with which a server ends the contexts of requests when the
// agent stops and waits for them no longer. Their callers are told in their own dialect,
// and their records end as interrupted.
var ErrStopping = errors.New("the agent stops")

var agentStopping = &dialect.Refusal{Status: http.StatusServiceUnavailable, Code: "agent_stopping",
	Message: "This agent is being stopped, and the time that it gives to requests in flight is over. Send the request again."}

// cut tells whether the agent stopped before the request was over.
func (e *exchange) cut() bool { return errors.Is(context.Cause(e.r.Context()), ErrStopping) }

// ifCut is the end of a request that was cut: neither the upstream nor the caller ended it.
func (e *exchange) ifCut(end end) end {
	switch end.outcome {
	case usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, usagev1.Outcome_OUTCOME_UPSTREAM_UNREACHABLE, usagev1.Outcome_OUTCOME_CLIENT_CLOSED:
		if e.cut() {
			end.outcome, end.code = usagev1.Outcome_OUTCOME_INTERRUPTED, agentStopping.Code
		}
	}
	return end
}

// giveUp ends a request that waits for its next attempt: the caller left, or the agent
// stops.
func (e *exchange) giveUp() {
	if !e.cut() {
		e.finish(end{outcome: usagev1.Outcome_OUTCOME_CLIENT_CLOSED})
		return
	}
	e.finish(end{outcome: usagev1.Outcome_OUTCOME_INTERRUPTED, status: agentStopping.Status, code: agentStopping.Code})
	e.writeError(agentStopping)
}
