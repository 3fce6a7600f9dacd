package openai

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// Failure writes an upstream's error. Its type follows from the status, as with OpenAI's
// own; the code is the upstream's, or its type where it has no code.
// https://platform.openai.com/docs/guides/error-codes
func (s *Surface) Failure(f *chat.Failure) []byte { return append(failureBody(f), '\n') }

func failureBody(f *chat.Failure) []byte {
	wire := errorObject{Message: f.Message, Type: typeOfStatus(f.Status), Code: f.Code}
	if wire.Code == "" {
		wire.Code = f.Type
	}
	if wire.Code == "" {
		wire.Code = "upstream_error"
	}
	if f.Param != "" {
		wire.Param = &f.Param
	}
	return jsonvalue.Encode(errorBody{Error: wire})
}

func typeOfStatus(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return "authentication_error"
	case status == http.StatusForbidden:
		return "permission_error"
	case status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case status >= http.StatusInternalServerError:
		return "server_error"
	}
	return "invalid_request_error"
}

// wireError is an error's object, in the forms that compatible servers have: numbers as
// code, a detail in place of the message, a message that is an object.
type wireError struct {
	Message json.RawMessage `json:"message"`
	Detail  json.RawMessage `json:"detail"`
	Type    json.RawMessage `json:"type"`
	Param   json.RawMessage `json:"param"`
	Code    json.RawMessage `json:"code"`
}

// Failure reads an error: OpenAI's form, one without the outer object, or with a string
// in its place. Of anything else only the status is told.
func (p *Provider) Failure(status int, body []byte) *chat.Failure {
	var outer struct {
		Error json.RawMessage `json:"error"`
		wireError
	}
	var failure *chat.Failure
	if json.Unmarshal(body, &outer) == nil {
		failure = outer.failure()
		if len(outer.Error) > 0 && string(outer.Error) != "null" {
			failure = parseFailure(outer.Error)
		}
	} else {
		failure = &chat.Failure{}
	}
	failure.Status = status
	if failure.Message == "" {
		failure.Message = "The provider answered with status " + strconv.Itoa(status) + "."
	}
	return failure
}

// parseFailure reads the object of an error, or the string that stands for it.
func parseFailure(raw []byte) *chat.Failure {
	var object wireError
	if json.Unmarshal(raw, &object) != nil {
		return &chat.Failure{Message: jsonscan.Text(raw)}
	}
	return object.failure()
}

func (e *wireError) failure() *chat.Failure {
	code := jsonscan.Text(e.Code)
	if code == "" && string(e.Code) != "null" {
		code = string(e.Code)
	}
	message := words(e.Message)
	if message == "" {
		message = words(e.Detail)
	}
	return &chat.Failure{Type: jsonscan.Text(e.Type), Code: code, Param: jsonscan.Text(e.Param), Message: message}
}

// words are a text, or those of the object or list in its place: FastAPI's servers tell
// what is wrong with a request as detail, a list of {loc, msg, type}.
func words(raw json.RawMessage) string {
	if text := jsonscan.Text(raw); text != "" || len(raw) == 0 {
		return text
	}
	var faults []struct {
		Msg string `json:"msg"`
	}
	if json.Unmarshal(raw, &faults) == nil && len(faults) > 0 {
		return faults[0].Msg
	}
	var inner struct{ Message, Detail json.RawMessage }
	if json.Unmarshal(raw, &inner) != nil {
		return ""
	}
	if text := jsonscan.Text(inner.Message); text != "" {
		return text
	}
	return words(inner.Detail)
}

// streamFailure is an error inside of a stream, where no status says what it is.
func streamFailure(raw []byte) *chat.Failure {
	failure := parseFailure(raw)
	failure.Status = statusOf(failure)
	if failure.Message == "" {
		failure.Message = "The provider ended the stream with an error."
	}
	return failure
}

func statusOf(f *chat.Failure) int {
	if status, err := strconv.Atoi(f.Code); err == nil && status >= 400 && status < 600 {
		return status
	}
	switch {
	case f.Code == "rate_limit_exceeded", f.Code == "insufficient_quota", f.Type == "rate_limit_error":
		return http.StatusTooManyRequests
	case f.Type == "authentication_error":
		return http.StatusUnauthorized
	case f.Type == "permission_error":
		return http.StatusForbidden
	case f.Type == "invalid_request_error":
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}
