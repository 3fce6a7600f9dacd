// Package dialect is what the request path asks of a wire format where both sides speak
// it and bytes pass as they came: the few facts that policy needs of a request, an
// answer and the events of a stream, and the shape of the agent's own errors. The
// formats' own packages find them. It has no opinion about content and does no I/O.
package dialect

import (
	"time"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Dialect is one wire format. It is safe for concurrent use, keeps nothing of what it is
// given and allocates nothing that grows with it.
type Dialect interface {
	// Parse reads a request's body.
	Parse(body []byte) (Request, *Refusal)
	// Answer reads the body of an answer that is not a stream.
	Answer(body []byte) Answer
	// Look notes what one event of a stream says, and tells whether the caller is not to
	// see it, because only the agent asked for it.
	Look(s *Stream, data []byte) (hide bool)
	// Opens tells whether an event has nothing of the answer in it; what can't be read
	// for certain has.
	Opens(data []byte) bool
	// Done tells whether an event is the end mark of a stream.
	Done(data []byte) bool
	// Body is a refusal as an answer's JSON, with a newline; Event as the event that ends
	// a stream.
	Body(*Refusal) []byte
	Event(*Refusal) []byte
}

// Typed is a Dialect whose requests have more than one media type.
type Typed interface {
	// ParseTyped is Parse of a body of the type in its Content-Type.
	ParseTyped(contentType string, body []byte) (Request, *Refusal)
}

// Glimpser is a Dialect with events of an answer that may be too large to be looked at.
type Glimpser interface {
	// Glimpse notes what a piece of such an event shows.
	Glimpse(s *Stream, piece []byte)
}

// Code is what is wrong, in one of the agent's own constants: records and metrics have it, so
// nothing that anybody sent may become one.
type Code string

// Refusal is an error of the agent's own. Code is stable.
type Refusal struct {
	Status int
	Code   Code
	// Param is the field that it is about; empty: none.
	Param   string
	Message string
}

// Answer is what an answer's body, or a stream so far, says about itself.
type Answer struct {
	// Usage is nil where none, or none that adds up, is there.
	Usage *usagev1.TokenUsage
	// UsageSHA256 is of the usage object as it came, nil without Usage. Where a stream has
	// several: of all of them, one after the other.
	UsageSHA256 []byte
	// ServiceTier that served the request, empty when not said.
	ServiceTier string
	// Geo is where it was served, where prices go by that; empty: not said.
	Geo string
	// Unpriced: a part is billed by what is not in Usage.
	Unpriced bool
	// Failed: it is an error.
	Failed bool
	// RetryAfter is how long an error asks to be left alone; 0: it does not say.
	RetryAfter time.Duration
	// Credential: an error is about the credential, where its status does not say so.
	Credential bool
}

// Stream is what the events of one answer said so far.
type Stream struct {
	// Request that it answers.
	Request *Request
	// Answer has the latest usage.
	Answer Answer
	// Finished is how many events gave a choice's reason to end. Total: the usage is of
	// the whole answer; some servers tell in each event what it is so far.
	Finished int64
	Total    bool
	// Text is about how many bytes of text, thinking and arguments came, once Estimates is set.
	Text      int64
	Estimates bool
	// State is the dialect's own.
	State any
}
