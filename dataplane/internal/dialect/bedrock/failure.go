package bedrock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// Failure reads the body of an answer of 400 and above. Its type mostly stands in the
// header X-Amzn-ErrorType, and in the body only of some.
func (*Provider) Failure(status int, body []byte) *chat.Failure {
	var wire struct {
		Type, Message string
		Name          string `json:"__type"`
		Code          any
	}
	f := &chat.Failure{Status: status, Message: fmt.Sprintf("The upstream answered with status %d.", status)}
	if json.Unmarshal(body, &wire) != nil {
		return f
	}
	f.Type = errorName(wire.Name)
	if wire.Message != "" {
		f.Message = wire.Message
	}
	return f
}

// errorName is without its namespace, and what some services write behind it.
func errorName(text string) string {
	name := text[strings.LastIndexByte(text, '#')+1:]
	name, _, _ = strings.Cut(name, ":")
	return name
}

// exceptions of a stream, and the statuses that they have as answers.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
var exceptions = map[string]int{
	"accessDeniedException":         http.StatusForbidden,
	"internalServerException":       http.StatusInternalServerError,
	"modelErrorException":           http.StatusFailedDependency,
	"modelNotReadyException":        http.StatusTooManyRequests,
	"modelStreamErrorException":     http.StatusFailedDependency,
	"modelTimeoutException":         http.StatusRequestTimeout,
	"resourceNotFoundException":     http.StatusNotFound,
	"serviceQuotaExceededException": http.StatusBadRequest,
	"serviceUnavailableException":   http.StatusServiceUnavailable,
	"throttlingException":           http.StatusTooManyRequests,
	"validationException":           http.StatusBadRequest,
}

// exception is one of a stream: its message is in JSON, an error's is not. Its name begins
// small here, and large where it is an answer's.
func exception(name string, data []byte) *chat.Failure {
	status, known := exceptions[name]
	if !known {
		status = http.StatusInternalServerError
	}
	f := new(Provider).Failure(status, data)
	if name != "" {
		f.Type = strings.ToUpper(name[:1]) + name[1:]
	}
	if !json.Valid(data) && len(data) > 0 {
		f.Message = strings.ToValidUTF8(string(data), "\ufffd")
	}
	return f
}
