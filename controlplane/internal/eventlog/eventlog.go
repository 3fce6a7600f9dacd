// Package eventlog is the organization's ordered, append-only sequence of events:
// the source of truth and the audit trail. Versions run 1, 2, 3, … without a
// hole, in the order of commits. It does no I/O: pglog keeps the log in Postgres,
// logtest is the suite that every implementation passes.
package eventlog

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
)

var (
	// ErrStale: the log went on since the decision read its head. Read and decide again.
	ErrStale = errors.New("log has moved on")
	// ErrUnknownKind stops whatever folds the log: this build is older than the event.
	ErrUnknownKind = errors.New("unknown kind of event")
)

// Change is what a decision wants to be recorded.
type Change struct {
	// Subject is the id of the thing that changed.
	Subject uuid.UUID
	// Body is a message of weir.event.v1; its name is the event's kind.
	Body proto.Message
}

// Event is one recorded change.
type Event struct {
	OrganizationID uuid.UUID
	Version        int64
	Kind           string
	Subject        uuid.UUID
	// Payload is ProtoJSON, the very bytes that are stored.
	Payload []byte
	// Body is the decoded payload.
	Body proto.Message
	// Actor is who asked: authn.Principal.Actor, or "enrolment_token:<id>".
	Actor string
	// RequestID is the caller's, or empty.
	RequestID string
	Source    Source
	// RecordedAt is UTC, in microseconds; within a log it never goes back.
	RecordedAt time.Time
}

// Append is one decision on its way into the log.
type Append struct {
	OrganizationID uuid.UUID
	// Head is the version that the decision saw; 0 begins a new log.
	Head int64
	// Changes may be empty: then only Head is checked.
	Changes   []Change
	Actor     string
	RequestID string
	Source    Source
}

// Log is where events are kept.
type Log interface {
	// Append records changes as the versions Head+1, …; ErrStale when the log has another head.
	Append(ctx context.Context, a Append) ([]Event, error)
	// Read returns at most limit events with versions above after, in order.
	Read(ctx context.Context, organization uuid.UUID, after int64, limit int) ([]Event, error)
	// Head is the version of the newest event; 0 where there is no log.
	Head(ctx context.Context, organization uuid.UUID) (int64, error)
}

// Head is the version of an organization's newest event.
type Head struct {
	OrganizationID uuid.UUID
	Version        int64
}

// Move is a head and the transaction that wrote it last: one that changed what
// hangs on the log and is not in it, such as the signing keys, leaves the version.
type Move struct {
	Head
	By string
}
