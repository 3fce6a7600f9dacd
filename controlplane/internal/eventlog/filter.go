package eventlog

import (
	"time"

	"github.com/google/uuid"
)

// Filter takes the events that fit all of what it says; the zero Filter takes all.
type Filter struct {
	Subject uuid.UUID
	// Kinds: one of them.
	Kinds     []string
	Actor     string
	RequestID string
	// From is the first time, Until the first that is too late.
	From, Until time.Time
	// First and Last version, both included.
	First, Last int64
}
