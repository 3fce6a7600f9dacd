package proxy

import (
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/eventstream"
	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// upstream is one attempt: whom it asks and how, its cancellation and the watch over its
// time. One goroutine uses it.
type upstream struct {
	exchange *exchange
	target   *snapshot.Target
	leg      leg
	secret   secret.Value
	reserved *reservation // nil: no quota counts it
	// attempt is what is recorded of it, begun when it began after the exchange did.
	attempt *usagev1.Attempt
	begun   time.Duration
	trial   balance.Trial // to learn from
	pool    *balance.Pool // that it is counted in, with so many tokens, since then; nil: no more
	pooled  int64
	counted time.Time
	span    trace.Span // nil: it is not traced
	ctx     context.Context
	cancel  context.CancelCauseFunc
	// reached: a byte of the body was taken by the transport.
	reached reach
	// over is the connection that it had last, nil: none; sends how many it had.
	over     net.Conn
	sends    int
	response *http.Response
	// status of the response; 0: none came.
	status atomic.Int32
	watch  watch
	// asked is how long the body of an error asks to be left alone.
	asked time.Duration
	// without is why it has no price of its own, once its usage is known; empty: it is not.
	without string
	// again: the attempt failed and another one is to follow; nothing was answered.
	again bool
	racing
}

// forward sends the request, again where that is to be, and its answer on.
func (e *exchange) forward() {
	e.called = e.elapsed()
	for e.call() && e.again() {
	}
}

// call makes one attempt and tells whether another one is to follow.
func (e *exchange) call() (again bool) {
	u := e.up
	u.ctx, u.cancel = context.WithCancelCause(e.r.Context())
	if race := e.hedged(u); race != nil {
		return race.run()
	}
	u.run()
	return u.again
}

// run makes the attempt and passes on what comes of it, unless another one is to follow.
func (u *upstream) run() {
	e := u.exchange
	defer u.cancel(nil)
	defer u.leg.release()
	defer u.answered(nil)
	u.watch.begin(u, e.handler.config.Now())
	defer u.watch.stop()
	request, err := u.request()
	if err != nil {
		e.log().Warn("request can't be authorised", "provider", u.target.Provider.Name, "error", err)
		u.answerError(snapshot.Credential, credentialUnavailable, usagev1.Outcome_OUTCOME_UPSTREAM_UNREACHABLE, true)
		return
	}
	response, err := e.handler.config.Transport.RoundTrip(request)
	u.watch.stop()
	u.answered(response)
	u.waits(e.handler.config.Now().Sub(u.watch.begun))
	if u.race == nil && !e.plan.Left() {
		e.releaseBody() // the transport has its own hold on it while it sends
	}
	if err != nil {
		u.failed(err)
		return
	}
	defer func() { _ = response.Body.Close() }()
	u.response = response
	u.status.Store(int32(response.StatusCode))
	u.answer()
}

// answer passes on what came, or goes to another attempt.
func (u *upstream) answer() {
	switch status := u.response.StatusCode; {
	case saysNothing(status):
		u.reject(snapshot.UpstreamError, upstreamEmpty)
	case status >= 300 && status < 400:
		u.reject(snapshot.UpstreamError, upstreamRedirected)
	case status == http.StatusUnauthorized:
		u.reject(snapshot.Credential, credentialRejected)
	case status < http.StatusBadRequest && u.streams():
		if e := u.exchange; !e.isCopy {
			e.handler.metrics.streams.Add(1)
			defer e.handler.metrics.streams.Add(-1)
		}
		u.stream()
	case status < http.StatusBadRequest && u.exchange.surface.plays && isAudio(u.response):
		u.play()
	default:
		u.whole()
	}
}

// saysNothing tells statuses that never carry an answer. 101 leaves HTTP, which
// nobody asked for: its body would not end.
func saysNothing(status int) bool {
	return status < http.StatusOK || status == http.StatusNoContent || status == http.StatusResetContent
}

// streams tells whether the answer is a stream in the form of the target's dialect, and one
// that can be told to the caller.
func (u *upstream) streams() bool {
	e := u.exchange
	if u.leg.translation != nil && !e.request.Stream {
		return false
	}
	if u.leg.frames {
		return isType(u.response.Header, eventstream.ContentType)
	}
	return isType(u.response.Header, "text/event-stream")
}

// isType tells answers of a media type that can be read as they come.
func isType(header http.Header, wanted string) bool {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	encoding := header.Get("Content-Encoding")
	return err == nil && kind == wanted && (encoding == "" || encoding == "identity")
}

func (u *upstream) request() (*http.Request, error) {
	e := u.exchange
	body := u.leg.body
	pieces := u.leg.pieces()
	var length int64
	for _, piece := range pieces {
		length += int64(len(piece))
	}
	open := func() io.ReadCloser { return newParts(body, append([][]byte(nil), pieces...), &u.reached) }
	inOne := u.race == nil && length <= maxJoined
	if inOne {
		open = joined(pieces, length)
	}
	request := &http.Request{
		Method: http.MethodPost,
		URL:    u.leg.endpoint(e.r.URL.RawQuery),
		Header: upstreamHeader(u.leg.header(e.r.Header), u.target.Provider, u.secret),
		Body:   open(),
		// The transport rewinds the body where it wrote nothing of it, or an upstream reset it on HTTP/2.
		GetBody: func() (io.ReadCloser, error) {
			if err := u.sendable(); err != nil {
				return nil, err
			}
			return open(), nil
		},
		ContentLength: length,
	}
	request = u.connecting(request.WithContext(httptrace.WithClientTrace(u.ctx, u.trace(inOne))))
	u.propagate(request.Header)
	return request, e.handler.sign(request, u.target.Provider, u.secret, pieces)
}

// reject answers an upstream's answer that the caller must not get.
func (u *upstream) reject(how snapshot.Failures, refusal *dialect.Refusal) {
	u.exchange.log().Warn("upstream rejected the request", "provider", u.target.Provider.Name, "upstream_status", u.response.StatusCode)
	u.answerError(how, refusal, usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, true)
}

// failed answers where no answer came, or none that can be used.
func (u *upstream) failed(err error) {
	unused := u.reached.seal()
	if u.lost() {
		return
	}
	if u.callerGone() {
		u.gone(0, dialect.Answer{}, unused)
		return
	}
	u.exchange.log().Warn("upstream unreachable", "provider", u.target.Provider.Name, "error", cause(u.why(err)))
	how, refusal := snapshot.Unreachable, upstreamUnreachable
	switch {
	case u.late() != nil:
		how, refusal = u.lateAs(), u.timeout()
	case timedOut(err):
		refusal = upstreamTimeout
	}
	u.answerError(how, refusal, usagev1.Outcome_OUTCOME_UPSTREAM_UNREACHABLE, unused)
}

func timedOut(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

// answerError ends an attempt of which the caller has nothing: with an error, where
// no other attempt follows.
func (u *upstream) answerError(how snapshot.Failures, refusal *dialect.Refusal, outcome usagev1.Outcome, unused bool) {
	if u.exchange.cut() {
		how, refusal = 0, agentStopping
	}
	end := end{outcome: outcome, status: refusal.Status, code: refusal.Code, unused: unused, how: how, retryAfter: u.retryAfter()}
	if u.retry(how, end) {
		return
	}
	u.settle(end)
	u.exchange.writeError(refusal)
}

// callerGone tells whether the caller's connection ended. It goes first: then
// everything else fails, too.
func (u *upstream) callerGone() bool {
	return u.exchange.r.Context().Err() != nil && !u.exchange.cut()
}

// gone ends a request whose caller left. status is what it got before; 0: none.
func (u *upstream) gone(status int, answer dialect.Answer, unused bool) {
	u.cancel(nil)
	outcome := usagev1.Outcome_OUTCOME_CLIENT_CLOSED
	if u.exchange.isCopy { // it was cut
		outcome = usagev1.Outcome_OUTCOME_INTERRUPTED
	}
	if !u.claims(outcome) {
		return
	}
	u.settle(end{outcome: outcome, status: status, answer: answer, unused: unused})
}
