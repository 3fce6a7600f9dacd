package proxy

import (
	"strings"
	"time"

	"github.com/weirhq/weir/proto/contract/condition"
)

// notInConditions are headers that carry credentials.
var notInConditions = set([]string{"Authorization", "Proxy-Authorization", "X-Api-Key", "X-Goog-Api-Key", "Api-Key", "Cookie"})

// facts are what conditions may ask of a request: all that its caller says, also what usage
// may not hold.
type facts struct {
	exchange          *exchange
	metadata, headers map[string]string // nil: not asked for yet
}

var _ condition.Request = (*facts)(nil)

func factsOf(e *exchange) *facts { return &facts{exchange: e} }

// Metadata implements condition.Request.
func (f *facts) Metadata() map[string]string {
	if f.metadata == nil {
		f.metadata = make(map[string]string, len(f.exchange.words.Labels))
		for _, label := range f.exchange.words.Labels {
			f.metadata[label.Name] = label.Value
		}
	}
	return f.metadata
}

// Headers implements condition.Request.
func (f *facts) Headers() map[string]string {
	if f.headers == nil {
		f.headers = make(map[string]string, len(f.exchange.r.Header))
		for name, values := range f.exchange.r.Header {
			if !notInConditions[name] {
				f.headers[strings.ToLower(name)] = strings.Join(values, ", ")
			}
		}
	}
	return f.headers
}

// Tokens implements condition.Request.
func (f *facts) Tokens() int64 { return f.exchange.tokens() }

// Stream implements condition.Request.
func (f *facts) Stream() bool { return f.exchange.request.Stream }

// Surface implements condition.Request.
func (f *facts) Surface() string {
	if f.exchange.surface == surfaceChat {
		return "chat_completions"
	}
	return f.exchange.surface.name
}

// User implements condition.Request.
func (f *facts) User() string { return f.exchange.words.User }

// Run implements condition.Request.
func (f *facts) Run() string { return f.exchange.words.Run }

// Key implements condition.Request.
func (f *facts) Key() string { return f.exchange.record.KeyId }

// Project implements condition.Request.
func (f *facts) Project() string { return f.exchange.record.ProjectId }

// Now implements condition.Request.
func (f *facts) Now() time.Time { return f.exchange.begun }
