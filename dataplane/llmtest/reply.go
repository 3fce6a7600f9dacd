package llmtest

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"
)

// reply is what a planned answer of any dialect has: prompt is what it costs to begin,
// generated what was made so far.
type reply struct {
	ctx               context.Context // of the request, once it is served
	model             string
	streamed          bool
	fault             Fault
	ledger            func(ctx context.Context, model string, result outcome, tokens Tokens)
	delay, tokenDelay time.Duration
	prompt, generated Tokens
	settled           bool
	// eventType is the media type of its stream; empty: that of server-sent events.
	eventType string
}

func (s *Server) reply(model string, streamed bool, fault Fault) reply {
	return reply{
		model: model, streamed: streamed, fault: fault, ledger: s.charge,
		delay: override(s.options.Delay, fault.Delay), tokenDelay: override(s.options.TokenDelay, fault.TokenDelay),
	}
}

// teller tells a reply in its dialect.
type teller interface {
	// refuse answers with an error: with the fault's status, or with 200 where something
	// went wrong midway.
	refuse(w http.ResponseWriter, status int)
	// whole sends the answer as one body, stream as events.
	whole(w http.ResponseWriter, pace pace) error
	stream(w http.ResponseWriter, pace pace) error
}

// serve answers and writes the account, also when the connection is cut.
func (r *reply) serve(w http.ResponseWriter, pace pace, dialect teller) {
	r.ctx = pace.ctx
	defer r.settle(interrupted)
	if pace.sleep(r.delay) != nil || r.refused(w, dialect) {
		return
	}
	r.generated = r.prompt
	answer := dialect.whole
	switch {
	case r.streamed:
		answer = dialect.stream
	case r.fault.Kind == Stall:
		_ = pace.stall()
		return
	}
	if err := answer(w, pace); err == nil {
		r.settle(completed)
	}
}

// settle writes the account once: the first outcome counts.
func (r *reply) settle(result outcome) {
	if !r.settled {
		r.ledger(r.ctx, r.model, result, r.generated)
		r.settled = true
	}
}

// refused serves the faults that stand instead of an answer, which cost nothing.
func (r *reply) refused(w http.ResponseWriter, dialect teller) bool {
	switch kind := r.fault.Kind; {
	case kind == Status:
		r.settle(failed)
		dialect.refuse(w, r.fault.Status)
	case kind == ErrorBody, kind == ErrorEvent && !r.streamed:
		r.settle(failed)
		dialect.refuse(w, http.StatusOK)
	case kind == ContentType:
		r.settle(failed)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>Just a moment...</title><p>Checking your connection.\n"))
	case kind == Reset:
		r.settle(failed)
		abort()
	case kind == Empty:
		r.settle(failed)
		kind := "application/json"
		if r.streamed {
			kind = cmp.Or(r.eventType, "text/event-stream")
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(http.StatusOK)
	default:
		return false
	}
	return true
}

// retryAfter tells in a header how long to wait, where the fault says so.
func (f Fault) retryAfter(h http.Header) {
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
}
