package proxy

import (
	"net/http"
	"runtime/debug"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// A fault of the agent's own ends one request where net/http runs the handler. In a goroutine
// of another one it would end them all, with the agent.

var agentFault = &dialect.Refusal{Status: http.StatusInternalServerError, Code: "agent_fault",
	Message: "This agent has a fault of its own, which its log tells. Send the request again."}

// panicked logs such a fault; false: there is none. Its value may quote a body.
func (e *exchange) panicked(fault any) bool {
	if fault == nil {
		return false
	}
	e.log().Error("panicked beside a request", "shadow", e.isCopy, "stack", string(debug.Stack()))
	return true
}

// survive ends the attempt beside the first by its fault. A caller that has a part of its
// answer sees that there is no end, and what was kept of the request stands.
func (u *upstream) survive(fault any) {
	switch {
	case !u.exchange.panicked(fault):
	case u.won:
		u.exchange.w.abort()
	default:
		u.answerError(0, agentFault, usagev1.Outcome_OUTCOME_INTERRUPTED, false)
	}
}

// surviveCopy ends a copy by its fault.
func (e *exchange) surviveCopy(fault any) {
	if e.panicked(fault) && e.ticket != 0 {
		e.finish(end{outcome: usagev1.Outcome_OUTCOME_INTERRUPTED})
	}
}
