package proxy

import (
	"fmt"
	"net/http"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/sse"
)

// elements is same for a stream that is an array to the caller and events to the agent.
type elements struct {
	same
	array gemini.Array
	space []byte
}

func (v *elements) header(to, from http.Header) {
	v.same.header(to, from)
	if isType(from, "text/event-stream") {
		to["Content-Type"] = jsonType
	}
}

func (v *elements) event(s *dialect.Stream, e sse.Event, opening bool) (heard, error) {
	heard, err := v.same.event(s, e, opening)
	if err != nil {
		return heard, err
	}
	written, ok := v.array.Element(v.space[:0], e)
	if !ok {
		return heard, fmt.Errorf("%w: an event is larger than is held, and has more than data", errMalformed)
	}
	v.space, heard.raw = written, written
	return heard, nil
}

func (v *elements) end() []byte { return v.array.End(nil) }
