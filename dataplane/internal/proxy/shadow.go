package proxy

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/redact"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// maxShadowTime ends a copy whose target has no whole time of its own.
const maxShadowTime = 15 * time.Minute

// Why there is no copy of a request that was drawn for one.
const (
	shadowBusy       = "busy"       // as many as may be are under way
	shadowMemory     = "memory"     // their bodies hold as much as they may
	shadowStopping   = "stopping"   // the agent ends
	shadowUnfit      = "unfit"      // the target can't be asked for it from here
	shadowUnrecorded = "unrecorded" // the spool takes no start
)

// shadow sends a copy of the request to the target of the route's shadow, if it is drawn for
// that. The copy runs beside it and shares its body alone: it has an exchange of its own, with
// a record of its own, and answers nobody.
func (e *exchange) shadow() {
	share := e.route.Shadow
	if share == nil || e.handler.config.Draw(1000) >= share.PerMille {
		return
	}
	bound := maxShadowTime
	if total := share.Target.Timeouts.Total; total > 0 {
		bound = 2 * total // it is watched as every attempt is, from the first one on
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.r.Context()), bound)
	copied := e.copied(ctx, share.Target)
	if why := e.handler.shadows.begin(copied, cancel); why != "" {
		cancel()
		e.handler.metrics.shadowsDropped.WithLabelValues(why).Inc()
		return
	}
	copied.body.users.Add(1)
	go copied.runShadow()
}

// copied is the exchange of a copy: on a route that has its target alone, and one attempt.
func (e *exchange) copied(ctx context.Context, target *snapshot.Target) *exchange {
	h := e.handler
	r := (&http.Request{Method: e.r.Method, URL: e.r.URL, Header: shadowHeader(e.r.Header)}).WithContext(ctx)
	c := &exchange{
		handler: h, r: r, surface: e.surface, named: e.named, dialect: e.dialect, policy: e.policy, key: e.key,
		request: e.request, words: e.words, counted: e.counted, body: e.body, begun: h.config.Now(), isCopy: true,
		targets: balance.NewTargets(h.config.Now(), h.config.Draw), // what a copy meets keeps no request from the target
		w:       newCaller(&nowhere{header: http.Header{}, left: h.config.MaxShadowAnswerBytes}, r, &h.config),
		route: &snapshot.Route{
			ID: e.route.ID, Name: e.route.Name, Strategy: policyv1.Strategy_STRATEGY_SINGLE, Strict: e.route.Strict,
			Targets: []*snapshot.Target{target}, Retry: snapshot.Retry{Attempts: 1, Once: true},
		},
	}
	from, to := &e.record, &c.record
	to.RequestId, to.ParentRequestId, to.Kind = newRequestID(c.begun), from.RequestId, usagev1.Kind_KIND_SHADOW
	to.PolicyEpoch, to.PolicyVersion, to.RevocationVersion = from.PolicyEpoch, from.PolicyVersion, from.RevocationVersion
	to.Surface, to.Streamed = from.Surface, from.Streamed
	to.ProjectId, to.KeyId, to.RouteId, to.Route = from.ProjectId, from.KeyId, from.RouteId, from.Route
	redact.Copy(to, from)
	return c
}

// shadowHeader leaves out by what a provider would take the copy for the request, or, if it
// comes first, the request for a repeat of the copy.
func shadowHeader(callers http.Header) http.Header {
	header := maps.Clone(callers)
	delete(header, "Idempotency-Key")
	delete(header, "X-Idempotency-Key")
	return header
}

func (e *exchange) runShadow() {
	defer e.handler.shadows.end(e)
	defer e.releaseBody()
	defer e.endQuotas()
	defer func() { e.surviveCopy(recover()) }()
	dropped := ""
	if e.choose() != nil {
		dropped = shadowUnfit
	} else if e.start() != nil {
		dropped = shadowUnrecorded
	}
	if dropped != "" {
		e.handler.metrics.shadowsDropped.WithLabelValues(dropped).Inc()
		return
	}
	e.forward()
	e.observeShadow()
}

// observeShadow is observe of a copy, which counts nowhere else.
func (e *exchange) observeShadow() {
	e.handler.metrics.shadows.WithLabelValues(outcomeName(e.record.Outcome)).Inc()
	if e.handler.logs(e, e.record.Outcome) {
		attributes := append(e.attributes(e.record.Outcome), slog.String("parent_request_id", e.record.ParentRequestId))
		e.handler.config.Logger.LogAttrs(e.r.Context(), slog.LevelInfo, "shadow", attributes...)
	}
}

// maxAnswer bounds an answer that is held.
func (e *exchange) maxAnswer() int64 {
	if e.isCopy {
		return e.handler.config.MaxShadowAnswerBytes
	}
	return e.handler.config.MaxAnswerBytes
}

// nowhere takes an answer that nobody gets, as far as left goes.
type nowhere struct {
	header http.Header
	left   int64
}

func (n *nowhere) Header() http.Header { return n.header }

func (n *nowhere) WriteHeader(int) {}

func (n *nowhere) Flush() {}

func (n *nowhere) Write(b []byte) (int, error) {
	if n.left -= int64(len(b)); n.left < 0 {
		return 0, errTooLarge
	}
	return len(b), nil
}
