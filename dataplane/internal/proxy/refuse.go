package proxy

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// codeMismatch is about providers that do not serve what is asked for.
const codeMismatch = "dialect_mismatch"

// The agent's own errors. Codes are stable.
var (
	keyMissing = unauthenticated("key_missing", "No key was sent. Send it as Authorization: Bearer KEY, or as x-api-key, x-goog-api-key or api-key.")
	keyRevoked = unauthenticated("key_revoked", "This key was revoked. Who administers this gateway can make a new one.")
	keyExpired = unauthenticated("key_expired", "This key has expired.")
	keyRotated = unauthenticated("key_rotated", "This key has a new secret, and the time of this one is over.")

	bodyTimeout = &dialect.Refusal{Status: http.StatusRequestTimeout, Code: "body_timeout",
		Message: "The request body did not come in time."}
	routeNotAllowed = &dialect.Refusal{Status: http.StatusForbidden, Code: "route_not_allowed", Param: "model",
		Message: "This key may not use this route."}

	modelUnpriced = &dialect.Refusal{Status: http.StatusForbidden, Code: "model_unpriced", Param: "model",
		Message: "The price of this route's model, or of what the request asks for (its service tier, say), is not known, and this organization serves " +
			"nothing without a price. Who administers the gateway can set one, as a price override, or allow it."}

	noPolicy              = unavailable("no_policy", "This agent has not received a policy yet.")
	policyRefused         = unavailable("policy_refused", "This agent refused the policy that it received and has no other. Its /readyz tells why, and what to do.")
	spoolFull             = unavailable("spool_full", "This agent has no space left to record usage.")
	spoolUnavailable      = unavailable("spool_unavailable", "This agent can't record usage.")
	providerNotAllowed    = unavailable("provider_not_allowed", "The configuration of this agent does not allow the provider of this route.")
	credentialUnavailable = unavailable("credential_unavailable", "This agent has no credential for the provider of this route.")
	credentialRejected    = unavailable("credential_rejected", "The provider of this route rejected the credential of this gateway.")

	upstreamUnreachable = &dialect.Refusal{Status: http.StatusBadGateway, Code: "upstream_unreachable",
		Message: "The provider of this route can't be reached."}
	upstreamTimeout = &dialect.Refusal{Status: http.StatusGatewayTimeout, Code: "upstream_timeout",
		Message: "The provider of this route did not answer in time."}
	upstreamBroke = &dialect.Refusal{Status: http.StatusBadGateway, Code: "upstream_broke",
		Message: "The provider of this route broke off its answer."}
	upstreamRedirected = &dialect.Refusal{Status: http.StatusBadGateway, Code: "upstream_redirected",
		Message: "The provider of this route answered with a redirect, which is not followed."}
	upstreamEmpty = &dialect.Refusal{Status: http.StatusBadGateway, Code: "upstream_empty",
		Message: "The provider of this route sent no answer."}
	upstreamMalformed = &dialect.Refusal{Status: http.StatusBadGateway, Code: "upstream_malformed",
		Message: "The provider of this route sent an answer that can't be read."}
	upstreamTooLarge = &dialect.Refusal{Status: http.StatusBadGateway, Code: "upstream_too_large",
		Message: "The provider of this route sent a larger answer than this agent takes."}
)

func unauthenticated(code dialect.Code, message string) *dialect.Refusal {
	return &dialect.Refusal{Status: http.StatusUnauthorized, Code: code, Message: message}
}

func unavailable(code dialect.Code, message string) *dialect.Refusal {
	return &dialect.Refusal{Status: http.StatusServiceUnavailable, Code: code, Message: message}
}

// withoutPolicy names no reason: nobody knows yet who asks, and reasons quote the policy.
func (h *Handler) withoutPolicy() *dialect.Refusal {
	if h.config.Unserved() != nil {
		return policyRefused
	}
	return noPolicy
}

// withoutPolicyBecause is withoutPolicy for those who ask through the control plane.
func (h *Handler) withoutPolicyBecause() *dialect.Refusal {
	why := h.config.Unserved()
	if why == nil {
		return noPolicy
	}
	return unavailable(policyRefused.Code, clip("This agent serves no policy: "+why.Error()))
}

// routeUnknown quotes the model only where it looks like a name.
func routeUnknown(model string) *dialect.Refusal {
	if len(model) > 200 {
		model = model[:200] + "…"
	}
	return &dialect.Refusal{Status: http.StatusNotFound, Code: "route_unknown", Param: "model",
		Message: fmt.Sprintf("There is no route %q in the policy of this gateway. GET /v1/models lists the routes of this key.", model)}
}

// methodNotAllowed names the method in words, too: SDKs hide headers.
func methodNotAllowed(method string) *dialect.Refusal {
	return &dialect.Refusal{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: "This path is served for " + method + " only."}
}

// routeNotServed tells the policy's reason: no provider of the route is where this
// gateway may send to.
func routeNotServed(route *snapshot.Route) *dialect.Refusal {
	return &dialect.Refusal{Status: http.StatusForbidden, Code: "route_not_served", Param: "model",
		Message: fmt.Sprintf("This gateway does not serve the route %q: %s.", route.Name, route.Unserved)}
}

// unwritable is a request that can't be turned into the dialect of a target.
func unwritable(fault *chat.Fault) *dialect.Refusal {
	return &dialect.Refusal{Status: http.StatusBadRequest, Code: "invalid_request", Param: fault.Field, Message: fault.Error()}
}

// notTranslatable names what a strict route does not leave out.
func notTranslatable(lossy chat.Lossy) *dialect.Refusal {
	return &dialect.Refusal{Status: http.StatusBadRequest, Code: "not_translatable", Param: lossy[0],
		Message: "This route is strict, and its providers can't be sent " + listFields(lossy) + ". Leave it out, or ask for a route that is not strict."}
}

// noTargetMatches is about a route whose targets all have conditions; fault is what one met
// that could not be told.
func noTargetMatches(fault error) *dialect.Refusal {
	message := "No target of this route takes this request: the conditions of all are false."
	if fault != nil {
		message = clip("No target of this route takes this request. One of their conditions could not be told: " + fault.Error() + ".")
	}
	return &dialect.Refusal{Status: http.StatusBadRequest, Code: "no_target_matches", Param: "model", Message: message}
}

func unreadable(err error, limit int64) *dialect.Refusal {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &dialect.Refusal{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large",
			Message: fmt.Sprintf("The request body is larger than %d bytes.", limit)}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return bodyTimeout
	}
	return &dialect.Refusal{Status: http.StatusBadRequest, Code: "body_unreadable", Message: "The request body ended before its end."}
}

// refuse answers a request that never went upstream. One whose key the policy knows
// is recorded; a full spool is no reason to answer otherwise.
func (e *exchange) refuse(refusal *dialect.Refusal) {
	e.record.Outcome = usagev1.Outcome_OUTCOME_REFUSED
	e.record.Status, e.record.ErrorCode = int32(refusal.Status), string(refusal.Code)
	if l := e.refusing(refusal); l != nil {
		e.record.RefusedByQuotaId = l.Quota.ID[:]
	}
	if e.record.KeyId != "" && refusal != spoolFull && refusal != spoolUnavailable {
		e.recordRefusal()
	}
	if refusal.Status == http.StatusUnauthorized {
		e.w.Header().Set("WWW-Authenticate", "Bearer")
	}
	e.tellQuota(refusal)
	e.tellCrowded(refusal)
	e.writeError(refusal)
}

// recordRefusal keeps at most so many refusals per second of a key that is over, or
// that asks for what nobody serves: hammering with it fills no spool.
func (e *exchange) recordRefusal() {
	cheap := e.key == nil || !e.surface.forwards()
	if cheap && !e.handler.refusals.take(e.record.KeyId, e.begun) {
		e.handler.metrics.unrecorded.WithLabelValues(e.record.ErrorCode).Inc()
		return
	}
	if !e.words.heeded {
		_ = e.heed() // it is refused for something else
	}
	e.stamp()
	if err := e.keepRefusal(); err != nil {
		e.notRecorded("refusal", err)
	}
}

func (e *exchange) writeError(refusal *dialect.Refusal) {
	if e.opened.Load() {
		_, _ = e.w.Write(e.dialect.Event(refusal))
		return
	}
	body := e.dialect.Body(refusal)
	header := e.w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	e.tellLimits()
	e.w.WriteHeader(refusal.Status)
	_, _ = e.w.Write(body) // a caller that is gone misses nothing
}

// unrecorded is what the caller gets where the recorder takes no attempt.
func (e *exchange) unrecorded(what string, err error) *dialect.Refusal {
	e.up.forget()
	e.notRecorded(what, err)
	if e.handler.isFull(err) {
		return spoolFull
	}
	return spoolUnavailable
}

// notRecorded counts what the recorder refused. It is not logged for each request: a
// full spool never, another fault when it is a new one.
func (e *exchange) notRecorded(what string, err error) {
	if e.handler.isFull(err) {
		e.handler.metrics.spoolFull.Inc()
		return
	}
	e.handler.metrics.spoolErrors.Inc()
	text := err.Error()
	if last := e.handler.fault.Swap(&text); last == nil || *last != text {
		e.log().Error("usage is not recorded", "what", what, "error", err)
	}
}

func (h *Handler) isFull(err error) bool { return errors.Is(err, h.config.ErrSpoolFull) }
