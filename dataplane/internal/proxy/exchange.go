package proxy

import (
	"cmp"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// exchange is one request on its way. One goroutine uses it.
type exchange struct {
	handler *Handler
	w       caller
	r       *http.Request
	surface *surface
	named   string           // the model, where the path names it
	dialect dialect.Dialect  // in which it is answered
	policy  *snapshot.Policy // nil: none yet
	key     *snapshot.Key    // nil until authenticated
	route   *snapshot.Route
	targets *balance.Targets // and how they do
	plan    balance.Plan
	request dialect.Request
	words   words
	isCopy  bool    // of another request, for its route's shadow: nobody gets the answer
	held    int64   // bytes of body that a copy counts for
	body    *buffer // nil until read, and once no attempt will need it
	// target, leg and secret are of the attempt to make next, once its target is chosen.
	target   *snapshot.Target
	leg      leg
	secret   secret.Value
	reserved *reservation
	// counted are the quotas that count the request. whole is what it has of those on requests
	// as such, reservations that and each attempt's; nil: there are none.
	counted      []snapshot.Counted
	crowded      *crowded // the same of the upstream's own limits
	queue        *queued  // nil: no target that it passed over has a queue
	lacked       *lack    // of the target that was asked about last; nil: quotas cover all
	whole        *reservation
	reservations []*reservation
	// capped is what the output of the next attempt is held to, in tokens of one choice; 0: it
	// is as the caller said.
	capped int64
	// shown are the quotas of a dry run, input the tokens that it is of: it has no body.
	shown shownQuotas
	input int64
	// hurried: nothing waits for a lease, since another attempt is under way.
	hurried bool

	// begun is when the request was read; waited is the time spent waiting for the
	// upstream since.
	begun  time.Time
	waited time.Duration
	// called is when the first attempt was made, after begun.
	called time.Duration

	// opened: the caller has the status of a stream and comments, and nothing of an answer.
	opened atomic.Bool

	stages stages
	span   trace.Span // nil: it is not traced
	// traceState is the caller's, where it is traced.
	traceState trace.TraceState
	ticket     uint64
	record     usagev1.UsageRecord
	// up is the attempt that the request stands or falls with; nil until there is one.
	up *upstream
	// passed is why targets were passed over, by their number in the plan.
	passed [snapshot.MaxTargets + 1]usagev1.Verdict
}

func (h *Handler) begin(w http.ResponseWriter, r *http.Request) *exchange {
	e := &exchange{
		handler: h, w: newCaller(w, r, &h.config), r: r, surface: elsewhere, dialect: elsewhere.dialect,
		policy: h.config.Policy.Load(), begun: h.config.Now(), targets: h.targets,
	}
	e.record.RequestId = newRequestID(e.begun)
	header := e.w.Header()
	header["X-Weir-Request-Id"] = []string{e.record.RequestId}
	if e.policy != nil {
		header["X-Weir-Policy-Version"] = e.policy.VersionHeader()
		e.record.PolicyEpoch = e.policy.Epoch()
		e.record.PolicyVersion = e.policy.Version()
		e.record.RevocationVersion = e.policy.RevocationVersion()
	}
	return e
}

// elapsed is the time since the request was read.
func (e *exchange) elapsed() time.Duration { return e.handler.config.Now().Sub(e.begun) }

// pass serves a request that goes upstream.
func (e *exchange) pass() {
	e.record.Surface = e.surface.records
	defer e.releaseBody()
	defer e.endQuotas()
	defer e.leaveQueue()
	refusal := e.admit()
	if refusal == nil {
		refusal = e.start()
	}
	if refusal == callerLeft {
		e.left()
		return
	}
	if refusal != nil {
		e.refuse(refusal)
		return
	}
	e.tellRoute()
	e.shadow()
	e.forward()
}

// admit takes the steps that can refuse a request without anything having
// happened.
func (e *exchange) admit() *dialect.Refusal {
	begun := time.Now()
	for _, step := range [...]struct {
		of   stage
		take func(*exchange) *dialect.Refusal
	}{
		{stageAuthenticate, (*exchange).authenticate}, {stageAuthenticate, (*exchange).heed}, {stageRead, (*exchange).read},
		{stageParse, (*exchange).parse}, {stageAuthorise, (*exchange).authorise}, {stageQuota, (*exchange).count},
		{stageChoose, (*exchange).choose},
	} {
		refusal := step.take(e)
		begun = e.stages.since(step.of, begun)
		if refusal != nil {
			return refusal
		}
	}
	return nil
}

func (e *exchange) read() *dialect.Refusal {
	limit := e.policy.MaxRequestBytes()
	body, err := readBody(&e.w, e.r, limit)
	if err != nil {
		return unreadable(err, limit)
	}
	e.body = body
	e.begun = e.handler.config.Now()
	return nil
}

func (e *exchange) releaseBody() {
	e.leg.release()
	if e.up != nil {
		e.up.leg.release()
	}
	if e.body != nil {
		e.body.release()
		e.body = nil
	}
}

func (e *exchange) parse() *dialect.Refusal {
	var refusal *dialect.Refusal
	if typed, ok := e.dialect.(dialect.Typed); ok {
		e.request, refusal = typed.ParseTyped(strings.Join(e.r.Header["Content-Type"], ", "), e.body.bytes) // all of them go upstream
	} else {
		e.request, refusal = e.dialect.Parse(e.body.bytes)
	}
	if e.named != "" {
		e.request.Model, e.request.Stream = e.named, e.surface.streams
	}
	e.record.Streamed = e.request.Stream
	return refusal
}

func (e *exchange) authorise() *dialect.Refusal {
	name := cmp.Or(e.words.route, e.request.Model)
	e.route = e.find(name)
	if e.route == nil {
		return routeUnknown(name)
	}
	e.record.RouteId, e.record.Route = e.route.ID, e.route.Name
	if !e.key.May(e.route) {
		return routeNotAllowed
	}
	if e.route.Unserved != "" {
		return routeNotServed(e.route)
	}
	return nil
}

// find is nil also where the route is for other projects: that it exists is theirs
// to know.
func (e *exchange) find(name string) *snapshot.Route {
	if route := e.policy.Route(name); route != nil && e.key.Sees(route) {
		return route
	}
	return nil
}

// next is the target of the next attempt, its credential at hand. Targets that there is no
// time or budget for, or that this agent can't use, are passed over; refusal is about the
// last of those where no target is left, also to wait for.
func (e *exchange) next() (target *snapshot.Target, refusal *dialect.Refusal) {
	for {
		target = e.plan.Next()
		if target == nil {
			return e.inTurn(refusal)
		}
		if e.plan.Made() > 0 && (!e.inTime(target) || !e.affords(target)) {
			e.plan.Drop()
			continue
		}
		if refusal = e.take(target); refusal == nil {
			return target, nil
		}
	}
}

// take makes the target that of the next attempt, or leaves it out and tells why.
func (e *exchange) take(target *snapshot.Target) *dialect.Refusal {
	refusal := e.usable(target)
	if refusal == nil {
		refusal = e.spare(target)
	}
	if refusal == nil {
		refusal = e.afford(target)
	}
	if refusal != nil {
		e.passed[e.plan.Current()] = verdictOf(refusal)
		e.plan.Drop()
	}
	return refusal
}

// usable tells why a target can't serve the request from here; nil: it can, and leg says
// how it is asked.
func (e *exchange) usable(target *snapshot.Target) *dialect.Refusal {
	if !e.surface.reaches(target) {
		return e.surface.mismatch()
	}
	if refusal := e.ready(target.Provider); refusal != nil {
		return refusal
	}
	if refusal := e.address(target); refusal != nil {
		return refusal
	}
	return e.sold(target)
}

// sold refuses a target whose price is not known, where the organization blocks that.
// Counting tokens costs nothing.
func (e *exchange) sold(target *snapshot.Target) *dialect.Refusal {
	if !e.policy.BlocksUnpriced() || e.surface.count != nil ||
		sells(target.Price.At(e.begun), target, e.leg.sent, e.request.Unpriced && e.leg.sent.Unpriced) {
		return nil
	}
	e.leg.release()
	return modelUnpriced
}

func (e *exchange) ready(provider *snapshot.Provider) *dialect.Refusal {
	value, refusal, why := e.handler.open(provider)
	if refusal != nil {
		e.log().Warn("provider is passed over", "provider", provider.Name, "code", refusal.Code, "reason", why)
		return refusal
	}
	e.secret = value
	return nil
}
