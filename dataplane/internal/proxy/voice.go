package proxy

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/sse"
	"github.com/weirhq/weir/dataplane/internal/dialect/translate"
)

// errMalformed: what came is not of the upstream's dialect.
var errMalformed = errors.New("malformed")

// voice tells the caller what the upstream says.
type voice interface {
	// header adds what the caller gets of the upstream's header.
	header(to, from http.Header)
	// whole is an answer that is not a stream.
	whole(status int, body []byte) (said, error)
	// event is one of a stream, noted in s. opening: it matters whether it opens.
	event(s *dialect.Stream, e sse.Event, opening bool) (heard, error)
	// end is what follows the last event of a stream that is whole without an end mark.
	end() []byte
}

// said is a whole answer for the caller.
type said struct {
	status int
	body   []byte
	// kind is its media type; empty: the upstream's.
	kind       string
	answer     dialect.Answer
	retryAfter time.Duration
	// credential: it is an error about the gateway's credential.
	credential bool
}

// heard is an event of a stream for the caller; raw is valid until the next one, and empty
// where the caller gets nothing.
type heard struct {
	raw []byte
	// opens: nothing of the answer is in it. done: it ends the stream.
	opens, done bool
}

// same passes on what both sides understand.
type same struct{ dialect.Dialect }

func (v same) header(to, from http.Header) { answerHeader(to, from) }

func (v same) whole(status int, body []byte) (said, error) {
	answer := v.Answer(body)
	return said{status: status, body: body, answer: answer, retryAfter: answer.RetryAfter, credential: answer.Credential}, nil
}

func (v same) event(s *dialect.Stream, e sse.Event, opening bool) (heard, error) {
	hidden := v.Look(s, e.Data)
	if teller, ok := v.Dialect.(dialect.Teller); ok && s.Estimates {
		s.Text += teller.TextBytes(e.Data)
	}
	if v.Done(e.Data) {
		return heard{raw: e.Raw, done: true}, nil
	}
	if e.Piece {
		if glimpser, ok := v.Dialect.(dialect.Glimpser); ok {
			glimpser.Glimpse(s, e.Raw)
		}
	}
	heard := heard{opens: opening && !e.Piece && v.Opens(e.Data)}
	if !hidden {
		heard.raw = e.Raw
	}
	return heard, nil
}

func (v same) end() []byte { return nil }

// other translates.
type other struct {
	attempt  *translate.Attempt
	exchange *exchange
	way      *way
	written  []byte
}

// header of another dialect is nothing to the caller, but for when to come again.
func (v *other) header(to, from http.Header) {
	if again := from["Retry-After"]; again != nil {
		to["Retry-After"] = again
	}
	to["Content-Type"] = jsonType
	if v.exchange.request.Stream {
		to["Content-Type"] = v.exchange.surface.streamType
	}
	if lossy := v.attempt.Lossy(); len(lossy) > 0 {
		to["X-Weir-Lossy"] = []string{listFields(lossy)}
	}
}

func (v *other) whole(status int, body []byte) (said, error) {
	if status >= http.StatusBadRequest {
		return v.failed(status, body), nil
	}
	begun := time.Now()
	turn := v.attempt.Whole
	if v.exchange.request.Stream {
		turn = v.attempt.Replay
	}
	written, answer, err := turn(body)
	v.exchange.stages.since(stageTranslate, begun)
	if err == nil {
		return said{status: status, body: written, answer: answer}, nil
	}
	if v.way.dialect.Answer(body).Failed {
		return v.failed(http.StatusBadGateway, body), nil
	}
	return said{}, fmt.Errorf("%w: %w", errMalformed, err)
}

func (v *other) failed(status int, body []byte) said {
	written, failure := v.attempt.Failure(status, body)
	return said{status: failure.Status, body: written, kind: jsonType[0], answer: dialect.Answer{Failed: true}, retryAfter: failure.RetryAfter,
		credential: v.way.dialect.Answer(body).Credential}
}

func (v *other) event(s *dialect.Stream, e sse.Event, _ bool) (heard, error) {
	if e.Piece {
		return heard{}, fmt.Errorf("%w: an event is larger than is held", errMalformed)
	}
	begun := time.Now()
	written, event, err := v.attempt.Event(v.written[:0], s, e.Type, e.Data)
	v.exchange.stages.since(stageTranslate, begun)
	v.written = written
	switch {
	case err != nil:
		return heard{}, fmt.Errorf("%w: %w", errMalformed, err)
	case v.attempt.Held() > v.exchange.maxAnswer():
		return heard{}, errTooLarge
	}
	return heard{raw: written, opens: event.Opens, done: event.Done}, nil
}

func (v *other) end() []byte { return v.attempt.Finish(v.written[:0]) }
