package anthropic

import (
	"encoding/json"
	"net/http"

	"github.com/weirhq/weir/dataplane/internal/dialect"
)

// Error is a refusal in this dialect's shape.
type Error dialect.Refusal

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

func invalidJSON(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "invalid_json", Message: message}
}

type errorBody struct {
	Type  string      `json:"type"`
	Error errorObject `json:"error"`
}

// errorObject is Anthropic's, with the code and field that the agent's own errors have.
type errorObject struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Code    string `json:"code,omitempty"`
	Param   string `json:"param,omitempty"`
}

// Body is the error as an answer's JSON, with a newline.
func (e *Error) Body() []byte { return append(e.json(), '\n') }

// Event is the error as an event that ends a stream; SDKs raise it.
func (e *Error) Event() []byte { return errorEvent(nil, e.json()) }

func (e *Error) json() []byte {
	return errorJSON(errorObject{Type: errorType(e.Status), Message: e.Message, Code: string(e.Code), Param: e.Param})
}

func errorJSON(object errorObject) []byte {
	text, _ := json.Marshal(errorBody{Type: "error", Error: object}) // strings always encode
	return text
}

func errorEvent(dst, body []byte) []byte {
	dst = append(dst, "event: error\ndata: "...)
	return append(append(dst, body...), "\n\n"...)
}

const statusOverloaded = 529 // Anthropic's own

// errorTypes are those that stand for one status.
// Source: https://platform.claude.com/docs/en/api/errors
var errorTypes = []struct {
	status int
	name   string
}{
	{http.StatusBadRequest, "invalid_request_error"},
	{http.StatusUnauthorized, "authentication_error"},
	{http.StatusPaymentRequired, "billing_error"},
	{http.StatusForbidden, "permission_error"},
	{http.StatusNotFound, "not_found_error"},
	{http.StatusConflict, "conflict_error"},
	{http.StatusRequestEntityTooLarge, "request_too_large"},
	{http.StatusTooManyRequests, "rate_limit_error"},
	{http.StatusInternalServerError, "api_error"},
	{http.StatusGatewayTimeout, "timeout_error"},
	{statusOverloaded, "overloaded_error"},
}

// errorType is the type for a status; others of 4xx are invalid_request_error, others
// of 5xx api_error.
func errorType(status int) string {
	for _, known := range errorTypes {
		if known.status == status {
			return known.name
		}
	}
	if status >= http.StatusInternalServerError {
		return "api_error"
	}
	return "invalid_request_error"
}

// errorStatus is what a type stands for; 500 where it is not known.
func errorStatus(name string) int {
	for _, known := range errorTypes {
		if known.name == name {
			return known.status
		}
	}
	return http.StatusInternalServerError
}

func knownType(name string) bool {
	return name == "api_error" || errorStatus(name) != http.StatusInternalServerError
}
