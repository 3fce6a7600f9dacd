package anthropic

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// Provider converts for upstreams that speak this dialect. What can't be carried is
// named in canonical terms: the fields of package chat in lower case.
type Provider struct {
	// emulated is the tool whose arguments are the answer's text; empty: none.
	emulated string
	stream   providerStream
}

var _ chat.Provider = (*Provider)(nil)

// NewProvider makes a converter for one attempt.
func NewProvider() *Provider { return new(Provider) }

// Failure reads the body of an error; one that is none of this dialect gives its
// status only.
func (*Provider) Failure(status int, body []byte) *chat.Failure {
	var wire struct{ Error *wireError }
	if json.Unmarshal(body, &wire) != nil || wire.Error == nil {
		wire.Error = new(wireError)
	}
	return wire.Error.failure(status)
}

type wireError struct{ Type, Message, Code, Param string }

func (e *wireError) failure(status int) *chat.Failure {
	failure := &chat.Failure{Status: status, Type: e.Type, Code: e.Code, Param: e.Param, Message: e.Message}
	if failure.Message == "" {
		failure.Message = strings.TrimSpace("The provider answered with an error. " + http.StatusText(status))
	}
	return failure
}
