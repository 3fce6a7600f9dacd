// Package fault holds the errors that are meant for the caller. Everything else
// is wrapped and ends as an internal error with a reference.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of fault it is; the API turns each into one code.
type Kind int

const (
	// Invalid: the request can never succeed as it is.
	Invalid Kind = iota + 1
	// Unauthenticated: nobody is known to be calling.
	Unauthenticated
	// Denied: the caller may not do this.
	Denied
	// NotFound: no such thing in the caller's organization.
	NotFound
	// Conflict: the name or id is taken.
	Conflict
	// Precondition: the state does not allow it (yet).
	Precondition
	// Aborted: somebody else was faster; read again and retry.
	Aborted
	// Exhausted: a limit was reached.
	Exhausted
	// Unavailable: a part is down; retry later.
	Unavailable
	// Unimplemented: named in the plan, not built.
	Unimplemented
)

// Violation names one bad field of a request.
type Violation struct {
	Field       string
	Description string
}

// Error is a fault for the caller's eyes.
type Error struct {
	Kind       Kind
	Reason     string // stable, snake_case; may be empty
	Message    string
	Violations []Violation
	// RetryAfter is when the same request may succeed; zero: waiting alone does not help, or nobody knows.
	RetryAfter time.Duration
	// Details are further facts for programs, by snake_case names.
	Details map[string]string
	// Cause is for the log and never shown; nil where the message says it all.
	Cause error
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.Cause }

// New makes a fault with a formatted message.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Because makes a fault with a stable reason that programs can test.
func Because(kind Kind, reason, format string, args ...any) *Error {
	return &Error{Kind: kind, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Unanswered makes an Unavailable fault of an outage, which the caller is not shown.
func Unanswered(cause error, reason, message string) *Error {
	return &Error{Kind: Unavailable, Reason: reason, Message: message, Cause: cause}
}

// Field makes an Invalid fault about one field.
func Field(field, format string, args ...any) *Error {
	description := fmt.Sprintf(format, args...)
	return &Error{
		Kind:       Invalid,
		Message:    field + ": " + description,
		Violations: []Violation{{Field: field, Description: description}},
	}
}

// Stale makes an Aborted fault that says which etag the thing has now.
func Stale(current string) *Error {
	f := Because(Aborted, "etag_stale", "it changed meanwhile: its etag is %q now; read it again and decide anew", current)
	f.Details = map[string]string{"etag": current}
	return f
}

// Is tells whether err is a fault of this kind.
func Is(err error, kind Kind) bool {
	var f *Error
	return errors.As(err, &f) && f.Kind == kind
}
