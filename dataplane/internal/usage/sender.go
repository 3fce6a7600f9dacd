package usage

import (
	"context"
	"time"
)

// Message is a closed batch on its way.
type Message struct {
	AgentID string // who closed it
	Value   []byte // serialized usagev1.SignedBatch
}

// Sender hands messages over in order and returns how many of them, from the first, the
// other side has for good: at least one, or an error. Of the others it may have some or not;
// sending them again does no harm.
type Sender interface {
	Send(ctx context.Context, messages []Message) (taken int, err error)
}

// RefusedError is about the first message that was not taken, and never will be as it is.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return "not taken: " + e.Err.Error() }
func (e *RefusedError) Unwrap() error { return e.Err }

// LaterError asks not to be called again before so long.
type LaterError struct {
	After time.Duration
	Err   error
}

func (e *LaterError) Error() string { return e.Err.Error() }
func (e *LaterError) Unwrap() error { return e.Err }

// run returns how many messages from the first go in one request: of one agent, and of at
// most so many bytes together unless one alone has more.
func run(messages []Message, most, overhead int, oneAgent bool) (n int) {
	size := 0
	for _, m := range messages {
		if size += len(m.Value) + overhead; n > 0 && (size > most || oneAgent && m.AgentID != messages[0].AgentID) {
			break
		}
		n++
	}
	return n
}
