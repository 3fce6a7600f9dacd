package chat

import "slices"

// Surface is a dialect that applications speak. A converter is of one request: it may
// remember what it needs to answer in kind.
type Surface interface {
	// Request reads a body; the Fault is the caller's.
	Request(body []byte) (*Request, *Fault)
	// Answer writes a whole answer.
	Answer(*Answer) (body []byte, lossy Lossy)
	// Event appends what an event of a stream is on the wire, nothing where the dialect
	// has nothing for it.
	Event(dst []byte, e Event) []byte
	// Finish appends what ends a stream in order.
	Finish(dst []byte) []byte
	// Failure writes an upstream's error as the body of an answer.
	Failure(*Failure) []byte
	// Names says what a provider left out, told in the fields of this package in snake
	// case, as the surface writes it.
	Names(Lossy) Lossy
}

// Provider is a dialect that upstreams speak. A converter is of one attempt.
type Provider interface {
	// Request writes the body for a model.
	Request(*Request) (body []byte, lossy Lossy, err error)
	// Answer reads a whole answer below 400. An error means that it is none.
	Answer(body []byte) (*Answer, error)
	// Events reads one server-sent event; several steps may follow from it. An error
	// means that the stream is broken. done: it ended in order.
	Events(dst []Event, name, data []byte) (events []Event, done bool, err error)
	// Failure reads the body of an answer of 400 and above; it always has the status
	// and some message.
	Failure(status int, body []byte) *Failure
}

// Lossy names what a conversion left out, each field once, as the surface writes it:
// "messages.content.cache_control", "logit_bias".
type Lossy []string

// maxLossy bounds the names: a caller's own can be many, and each is looked for.
const maxLossy = 64

// Add notes a field, unless it is there. Behind as many as are noted one says "more".
func (l *Lossy) Add(field string) {
	if len(*l) == maxLossy {
		field = "more"
	}
	if len(*l) <= maxLossy && !slices.Contains(*l, field) {
		*l = append(*l, field)
	}
}

// Named is the fields by other names, where there is one.
func (l Lossy) Named(names map[string]string) Lossy {
	var named Lossy
	for _, field := range l {
		if name, ok := names[field]; ok {
			field = name
		}
		named.Add(field)
	}
	return named
}

// Fault is what is wrong with a caller's request.
type Fault struct {
	// Field as the surface writes it: "messages[2].content"; empty: the whole body.
	Field string
	// Message says what is wrong and what is wanted.
	Message string
}

func (f *Fault) Error() string {
	if f.Field == "" {
		return f.Message
	}
	return f.Field + ": " + f.Message
}
