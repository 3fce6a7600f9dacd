// Package proxy is the agent's request path: authenticate, parse, authorise,
// record the start, forward, to another target where one fails, stream back, price,
// record the end. One request runs under one policy from its first step to its last.
// It must not know how policies come, how records are kept or where they go, and it
// never keeps, logs or records what a prompt or an answer says.
package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/forecast"
	"github.com/weirhq/weir/dataplane/internal/googleauth"
	"github.com/weirhq/weir/dataplane/internal/quota"
	"github.com/weirhq/weir/dataplane/internal/redact"
	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Recorder keeps usage records so that they outlive the agent. The methods are
// done with the record when they return.
type Recorder interface {
	// Start keeps what is to be reported if the agent dies before End: outcome
	// INTERRUPTED with estimated usage and cost. The result names the record to End.
	Start(*usagev1.UsageRecord) (uint64, error)
	// Again replaces what is to be reported: another attempt begins.
	Again(uint64, *usagev1.UsageRecord) error
	// End replaces what Start and Again kept and gives out the record's number.
	End(uint64, *usagev1.UsageRecord) error
	// Refuse is Start and End of a request that the agent itself refused.
	Refuse(*usagev1.UsageRecord) error
	// Forgo counts what Start (id 0) or Again (the id that Start gave) had no space for;
	// Again and End take the id that it returns.
	Forgo(uint64, *usagev1.UsageRecord) (uint64, error)
}

// Secrets resolves credential references.
type Secrets interface {
	Resolve(reference string) (secret.Value, error)
}

// Sealed opens credentials that the policy carries.
type Sealed interface {
	Open(snapshot.Sealed) (secret.Value, error)
}

// Defaults of Config.
const (
	DefaultFirstByteTimeout = 10 * time.Minute
	DefaultIdleTimeout      = 5 * time.Minute
	DefaultBodyTimeout      = time.Minute
	DefaultWriteTimeout     = 30 * time.Second
	DefaultMaxAnswerBytes   = 64 << 20
	DefaultMaxEventBytes    = 1 << 20

	DefaultMaxShadows           = 64
	DefaultMaxShadowBytes       = 64 << 20
	DefaultMaxShadowAnswerBytes = 8 << 20
)

// Config is what a Handler needs. All but the fields from Hasher on are required.
type Config struct {
	Policy   *snapshot.Holder
	Recorder Recorder
	// ErrSpoolFull is the error (tested with errors.Is) by which the recorder says
	// that no request may start for want of space.
	ErrSpoolFull error
	Secrets      Secrets
	Sealed       Sealed
	// Quotas has what the agent leased of its policy's quotas.
	Quotas *quota.Meter
	// Transport sends to upstreams: NewTransport.
	Transport http.RoundTripper
	// Freshness is when the control plane last confirmed the policy; zero: never.
	Freshness func() time.Time
	// Unserved is why no policy is served although one came; nil: none came.
	Unserved func() error
	Logger   *slog.Logger
	Metrics  prometheus.Registerer

	// Hasher of end users; nil, or one that returns nil: there is no key for hashes, and usage
	// that may not name them plainly does not name them at all.
	Hasher func() *redact.Hasher
	// AccessLog is which requests are logged; empty: all.
	AccessLog AccessLog
	// Tracer makes spans; nil: nothing is traced.
	Tracer trace.Tracer
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Draw gives random numbers from 0 to n-1, for weights and backoff; nil:
	// rand.Int64N.
	Draw func(n int64) int64
	// FirstByteTimeout bounds the time until an upstream's status line, where the
	// policy does not: connecting and sending included. It comes only when the answer
	// is whole where it is not streamed.
	FirstByteTimeout time.Duration
	// IdleTimeout bounds the silence of an upstream inside of an answer, where the
	// policy does not.
	IdleTimeout time.Duration
	// BodyTimeout bounds the silence of a caller inside of its request's body, and
	// the time of the whole body beyond what 16 KiB/s take.
	BodyTimeout time.Duration
	// WriteTimeout bounds how long a caller takes nothing of its answer.
	WriteTimeout time.Duration
	// MaxAnswerBytes bounds an answer that is not a stream: it is held whole, so
	// that its record ends before the caller sees its last byte. It bounds what a stream
	// says that is translated, too: some dialects repeat it at the end.
	MaxAnswerBytes int64
	// MaxEventBytes bounds how much of one event of a stream is held; larger ones
	// pass without being looked at.
	MaxEventBytes int
	// MaxShadows bounds the copies of requests under way, MaxShadowBytes the bodies that
	// they hold, MaxShadowAnswerBytes what is read of an answer to one. Requests beyond
	// are not copied.
	MaxShadows                           int
	MaxShadowBytes, MaxShadowAnswerBytes int64
}

func (c *Config) complete() error {
	var faults []error
	need := func(there bool, name string) {
		if !there {
			faults = append(faults, errors.New("proxy: no "+name))
		}
	}
	need(c.Policy != nil, "policy holder")
	need(c.Recorder != nil, "recorder")
	need(c.ErrSpoolFull != nil, "error for a full spool")
	need(c.Secrets != nil, "secrets")
	need(c.Sealed != nil, "opener of sealed credentials")
	need(c.Quotas != nil, "quotas")
	need(c.Transport != nil, "transport")
	need(c.Freshness != nil, "freshness")
	need(c.Unserved != nil, "reason for serving nothing")
	need(c.Logger != nil, "logger")
	need(c.Metrics != nil, "metrics")
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Hasher == nil {
		c.Hasher = func() *redact.Hasher { return nil }
	}
	if c.Draw == nil {
		c.Draw = rand.Int64N
	}
	c.FirstByteTimeout = cmp.Or(c.FirstByteTimeout, DefaultFirstByteTimeout)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, DefaultIdleTimeout)
	c.BodyTimeout = cmp.Or(c.BodyTimeout, DefaultBodyTimeout)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, DefaultWriteTimeout)
	c.MaxAnswerBytes = cmp.Or(c.MaxAnswerBytes, DefaultMaxAnswerBytes)
	c.MaxEventBytes = cmp.Or(c.MaxEventBytes, DefaultMaxEventBytes)
	c.MaxShadows = cmp.Or(c.MaxShadows, DefaultMaxShadows)
	c.MaxShadowBytes = cmp.Or(c.MaxShadowBytes, DefaultMaxShadowBytes)
	c.MaxShadowAnswerBytes = cmp.Or(c.MaxShadowAnswerBytes, DefaultMaxShadowAnswerBytes)
	return errors.Join(faults...)
}

// Handler serves applications. It is safe for concurrent use.
type Handler struct {
	config  Config
	metrics *metrics
	tally   tally
	// refusals bounds the records of those that cost a caller nothing.
	refusals rate
	// google has the tokens of service accounts' keys.
	google googleauth.Tokens
	// fresh is Transport without the connections that it keeps.
	fresh http.RoundTripper
	// targets are how upstreams do, across policies.
	targets *balance.Targets
	// outputs are how long answers are, for what soft quotas reserve.
	outputs    *forecast.Outputs
	shadows    shadows
	accessKeys accessKeys
	// fault is why the recorder took no record when it last did not; nil: it does.
	fault atomic.Pointer[string]
}

var _ http.Handler = (*Handler)(nil)

// New makes a handler and registers its metrics.
func New(config Config) (*Handler, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	m, err := newMetrics(config.Metrics, collectors(config.Transport)...)
	if err != nil {
		return nil, err
	}
	h := &Handler{
		config: config, metrics: m, fresh: withoutPool(config.Transport),
		targets: balance.NewTargets(config.Now(), config.Draw), outputs: forecast.NewOutputs(maxForecasts),
	}
	if err := config.Metrics.Register(targetMetrics{h}); err != nil {
		return nil, fmt.Errorf("register metrics of targets: %w", err)
	}
	return h, nil
}

// ServeHTTP serves the surfaces; everything else is answered unsupported_surface.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.metrics.inFlight.Add(1)
	defer h.metrics.inFlight.Add(-1)
	e := h.begin(w, r)
	h.traceRequest(e)
	surface := e.dialectOf(surfaceOf(r.URL.Path))
	e.dialect = surface.dialect
	switch {
	case surface.name == "":
		part := unservedAt(r.URL.Path)
		e.dialect = part.dialect
		e.refuseElsewhere(part.refusalOf(r.URL.Path))
	case r.Method != surface.method:
		w.Header().Set("Allow", surface.method)
		e.refuseElsewhere(methodNotAllowed(surface.method))
	default:
		e.surface = surface
		surface.serve(e)
	}
	if !e.w.ending { // net/http would send a short answer when this returns: after the log's line
		_ = e.w.flush()
	}
	h.observe(e)
}
