package proxy

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/redact"
	"github.com/weirhq/weir/proto/contract/batch"
)

// maxRouteBytes is more than any route's name has.
const maxRouteBytes = 256

// words are what a caller says of its request beside the body.
type words struct {
	redact.Words
	heeded bool
	// route to serve the request by, whatever model the body names; empty: the model is it.
	route string
}

// callerHeaders are the headers by which callers speak to the agent itself. None of them goes
// upstream. Values are not quoted in errors, nor ever logged.
var callerHeaders = []struct {
	name string
	heed func(e *exchange, value string) error
}{
	{"X-Weir-User", func(e *exchange, value string) error { return keep(&e.words.User, value, batch.MaxCallerIDBytes) }},
	{"X-Weir-Run", func(e *exchange, value string) error { return keep(&e.words.Run, value, batch.MaxCallerIDBytes) }},
	{"X-Weir-Metadata", (*exchange).label},
	{"X-Weir-Route", func(e *exchange, value string) error { return keep(&e.words.route, value, maxRouteBytes) }},
	{"X-Weir-Cache", func(_ *exchange, value string) error { return checkCache(value) }},
}

// heed notes all that the caller says in a form that is right; the refusal is about the first
// header that is not.
func (e *exchange) heed() (refusal *dialect.Refusal) {
	e.words.heeded = true
	for _, header := range callerHeaders {
		values := e.r.Header[header.name]
		if len(values) == 0 {
			continue
		}
		err := errTwice
		if len(values) == 1 {
			if err = nil; values[0] != "" {
				err = header.heed(e, values[0])
			}
		}
		if err != nil && refusal == nil {
			refusal = &dialect.Refusal{Status: http.StatusBadRequest, Code: "invalid_header", Param: strings.ToLower(header.name),
				Message: "The header " + header.name + " is not accepted: " + err.Error() + "."}
		}
	}
	e.recordWords()
	return refusal
}

// recordWords puts into the record what usage may hold of what the caller says, and tells the
// caller what it may not.
func (e *exchange) recordWords() {
	if e.words.User == "" && e.words.Run == "" && len(e.words.Labels) == 0 {
		return
	}
	var labels []string
	for _, d := range e.policy.Usage().Write(&e.words.Words, e.handler.config.Hasher(), &e.record) {
		e.handler.metrics.wordsDropped[d.Reason].Inc()
		switch {
		case d.Label != "":
			labels = append(labels, d.Label)
		case d.Reason == redact.RunPattern:
			e.w.Header()["X-Weir-Run-Dropped"] = []string{d.Reason.String()}
		default:
			e.w.Header()["X-Weir-User-Dropped"] = []string{d.Reason.String()}
		}
	}
	if len(labels) > 0 {
		e.w.Header()["X-Weir-Labels-Dropped"] = []string{strings.Join(labels, ", ")}
	}
}

var (
	errTwice        = errors.New("it was sent more than once")
	errNotPrintable = errors.New("it has characters that are not printable, or is no UTF-8")
	errCache        = errors.New("no-store and no-cache are, since this agent keeps no answers")
)

// keep takes a value of printable characters, UTF-8, within so many bytes.
func keep(in *string, value string, most int) error {
	switch {
	case len(value) > most:
		return fmt.Errorf("it has %d bytes, at most %d are accepted", len(value), most)
	case !isPrintable(value):
		return errNotPrintable
	}
	*in = value
	return nil
}

// checkCache takes what is true of an agent that has no cache; whoever asks for more must not
// believe to have it.
func checkCache(value string) error {
	for hint := range strings.SplitSeq(value, ",") {
		switch strings.ToLower(strings.TrimSpace(hint)) {
		case "no-store", "no-cache":
		default:
			return errCache
		}
	}
	return nil
}
