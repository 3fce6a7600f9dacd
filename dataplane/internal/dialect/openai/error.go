package openai

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/weirhq/weir/dataplane/internal/dialect"
)

// Error is a refusal in this dialect's shape.
type Error dialect.Refusal

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

func invalidJSON(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "invalid_json", Message: message}
}

// NotJSON refuses a body that jsonscan can't read.
func NotJSON(err error) *Error {
	return invalidJSON(fmt.Sprintf("The request body is not a JSON object: %s.", err))
}

type errorBody struct {
	Error errorObject `json:"error"`
}

type errorObject struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
}

// Body is the error as an answer's JSON, with a newline.
func (e *Error) Body() []byte { return append(e.json(), '\n') }

// Event is the error as an event that ends a stream; SDKs raise it.
func (e *Error) Event() []byte {
	return append(append([]byte("data: "), e.json()...), "\n\n"...)
}

// typ is as of OpenAI's own errors, of which one about a key is no authentication_error.
func (e *Error) typ() string {
	if e.Status == http.StatusUnauthorized {
		return "invalid_request_error"
	}
	return typeOfStatus(e.Status)
}

func (e *Error) json() []byte {
	object := errorObject{Message: e.Message, Type: e.typ(), Code: string(e.Code)}
	if e.Param != "" {
		object.Param = &e.Param
	}
	text, _ := json.Marshal(errorBody{Error: object}) // strings always encode
	return text
}
