package gemini

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// Failure writes an upstream's error: its code is the reason of an ErrorInfo, its
// parameter a field violation.
func (s *Surface) Failure(f *chat.Failure) []byte { return failure(f).Body() }

func failure(f *chat.Failure) *Error {
	e := &Error{Status: f.Status, Param: f.Param, Message: f.Message, RetryAfter: f.RetryAfter, reason: f.Code}
	if e.Status == 0 {
		e.Status = http.StatusInternalServerError
	}
	if isStatus(f.Type) {
		e.status = f.Type
	} else if e.reason == "" {
		e.reason = f.Type
	}
	return e
}

// isStatus tells the names of google.rpc.Code from the error types of other dialects.
func isStatus(name string) bool {
	switch name {
	case "UNKNOWN", "ALREADY_EXISTS", "FAILED_PRECONDITION", "OUT_OF_RANGE", "DATA_LOSS":
		return true
	}
	for _, known := range statusNames {
		if name == known {
			return true
		}
	}
	return false
}

// wireError is an error's body. Without alt=sse it stands in an array.
type wireError struct {
	Error *struct {
		Code    int          `json:"code"`
		Message string       `json:"message"`
		Status  string       `json:"status"`
		Details []wireDetail `json:"details"`
	} `json:"error"`
}

type wireDetail struct {
	Type       string `json:"@type"`
	Reason     string `json:"reason"`
	RetryDelay string `json:"retryDelay"`
	Violations []struct {
		Field string `json:"field"`
	} `json:"fieldViolations"`
}

// Failure reads the body of an answer of 400 and above.
func (p *Provider) Failure(status int, body []byte) *chat.Failure { return readFailure(status, body) }

func readFailure(status int, body []byte) *chat.Failure {
	f := &chat.Failure{Status: status, Message: fmt.Sprintf("The upstream answered with status %d.", status)}
	var wire wireError
	var list []wireError
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		wire = list[0]
	} else if json.Unmarshal(body, &wire) != nil {
		return f
	}
	if wire.Error == nil {
		return f
	}
	if f.Status == 0 {
		f.Status = statusIn(wire.Error.Code)
	}
	f.Type = wire.Error.Status
	if wire.Error.Message != "" {
		f.Message = wire.Error.Message
	}
	for _, detail := range wire.Error.Details {
		detail.tell(f)
	}
	return f
}

// statusIn is of an error inside of a stream, whose own status is said in its code.
func statusIn(code int) int {
	if code < http.StatusBadRequest || code > 599 {
		return http.StatusInternalServerError
	}
	return code
}

func (d *wireDetail) tell(f *chat.Failure) {
	switch strings.TrimPrefix(d.Type, detailType) {
	case "ErrorInfo":
		f.Code = d.Reason
	case "RetryInfo":
		// A duration of protocol buffers is decimal seconds: "23.5s".
		if delay, err := time.ParseDuration(d.RetryDelay); err == nil && delay > 0 {
			f.RetryAfter = delay
		}
	case "BadRequest":
		if len(d.Violations) > 0 {
			f.Param = d.Violations[0].Field
		}
	}
}
