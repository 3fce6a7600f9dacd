package gemini

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect"
)

const (
	eventBegin = "data: "
	eventEnd   = "\r\n\r\n" // Google's own streams have both
)

// Error is what a caller gets. Code is stable; on the wire it is the reason of an
// ErrorInfo, in capitals, in the domain "weir".
// Format: https://google.aip.dev/193
type Error struct {
	Status  int
	Code    dialect.Code
	Param   string // the field; empty: none
	Message string
	// RetryAfter is told in a RetryInfo; 0: not.
	RetryAfter time.Duration

	reason string // of an upstream, in its own words; empty: Code
	status string // as reason; empty: follows from Status
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

func invalidJSON(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "invalid_json", Message: message}
}

// Body is the error as an answer's JSON, with a newline.
func (e *Error) Body() []byte { return append(e.json(), '\n') }

// Event is the error as an event that ends a stream; SDKs raise it.
func (e *Error) Event() []byte { return append(append([]byte(eventBegin), e.json()...), eventEnd...) }

func (e *Error) json() []byte {
	var o out
	e.appendTo(&o)
	return o.b
}

func (e *Error) appendTo(o *out) {
	o.begin('{')
	o.open("error", '{')
	o.number("code", int64(e.Status))
	o.text("message", e.Message)
	o.text("status", e.statusName())
	if e.Code != "" || e.reason != "" || e.Param != "" || e.RetryAfter > 0 {
		o.open("details", '[')
		e.details(o)
		o.end(']')
	}
	o.end('}')
	o.end('}')
}

func (e *Error) statusName() string {
	if e.status != "" {
		return e.status
	}
	return statusOf(e.Status)
}

func (e *Error) details(o *out) {
	if reason := e.reason; e.Code != "" || reason != "" {
		o.detail("ErrorInfo")
		if reason == "" {
			reason = strings.ToUpper(string(e.Code))
			o.text("domain", "weir")
		}
		o.text("reason", reason)
		o.end('}')
	}
	if e.Param != "" {
		o.detail("BadRequest")
		o.open("fieldViolations", '[')
		o.item('{')
		o.text("field", e.Param)
		o.text("description", e.Message)
		o.end('}')
		o.end(']')
		o.end('}')
	}
	if e.RetryAfter > 0 {
		o.detail("RetryInfo")
		o.text("retryDelay", fmt.Sprintf("%gs", e.RetryAfter.Seconds()))
		o.end('}')
	}
}

const detailType = "type.googleapis.com/google.rpc."

func (o *out) detail(name string) {
	o.item('{')
	o.text("@type", detailType+name)
}

// statusNames are those of google.rpc.Code that HTTP's stand for:
// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
var statusNames = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
	429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 501: "UNIMPLEMENTED", 503: "UNAVAILABLE",
	504: "DEADLINE_EXCEEDED",
}

func statusOf(status int) string {
	if name, ok := statusNames[status]; ok {
		return name
	}
	switch {
	case status == http.StatusRequestTimeout:
		return "DEADLINE_EXCEEDED"
	case status == http.StatusBadGateway, status == 529:
		return "UNAVAILABLE"
	case status >= http.StatusInternalServerError:
		return "INTERNAL"
	}
	return "INVALID_ARGUMENT"
}
