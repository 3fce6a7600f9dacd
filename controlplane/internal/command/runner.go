// Package command carries a decision into the log: it reads the head first and
// then the state, lets a pure function decide, and appends what was decided if
// the log still has that head; otherwise it reads and decides again. It also
// makes retries of callers safe. It knows no transport.
package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// maxAttempts bounds how often one command decides. Within a process commands of
// an organization wait for each other; only other processes make it decide again.
const maxAttempts = 16

// Runner runs commands.
type Runner struct {
	log   *pglog.Log
	store *readmodel.Store
	lanes lanes
	// secretKey is HidingSecrets'; nil: calls with secrets are refused.
	secretKey []byte
}

// NewRunner returns a runner; the log must write the read models of the store.
func NewRunner(log *pglog.Log, store *readmodel.Store) *Runner {
	return &Runner{log: log, store: store, lanes: lanes{taken: map[uuid.UUID]*lane{}}}
}

// HidingSecrets returns the runner, which takes calls with secrets from now on: what
// it stores to know them again is made with the key. Every process has the same. When
// the key changes, a call said again with a secret is another one.
func (r *Runner) HidingSecrets(key []byte) *Runner {
	r.secretKey = key
	return r
}

// Origin says where a command comes from.
type Origin struct {
	Organization uuid.UUID
	// Actor is authn.Principal.Actor, or "enrolment_token:<id>".
	Actor string
	// RequestID is the caller's, or empty.
	RequestID string
	// Source is where the caller is, as far as it is known.
	Source eventlog.Source
	// Operator: it is the installation's own, and so goes through in a suspended
	// organization, too.
	Operator bool
}

// Plan is what a decision wants to be committed; both may be empty.
type Plan struct {
	Changes []eventlog.Change
	Parts   []pglog.Part
}

// Decide reads state from a view and decides. It may be called several times and
// must not have effects.
type Decide func(ctx context.Context, v readmodel.View) (Plan, error)

// Commit decides and appends until no other command came between.
func (r *Runner) Commit(ctx context.Context, from Origin, decide Decide) (recorded []eventlog.Event, err error) {
	if w, ok := ctx.Value(wholeKey{}).(whole); ok {
		return r.within(ctx, w, from, decide)
	}
	err = r.alone(ctx, from.Organization, func() (err error) {
		recorded, err = r.once(ctx, from, decide)
		return err
	})
	return recorded, err
}

// alone does something as the only command of the organization in this process, and
// again where another process came between.
func (r *Runner) alone(ctx context.Context, organization uuid.UUID, do func() error) error {
	leave, err := r.lanes.enter(ctx, organization)
	if err != nil {
		return err
	}
	defer leave()
	for attempt := range maxAttempts {
		if err := pause(ctx, attempt); err != nil {
			return err
		}
		if err := do(); !errors.Is(err, eventlog.ErrStale) && !saidMeanwhile(err) {
			return err
		}
	}
	return fault.Because(fault.Aborted, "contended", "others were faster %d times; try again", maxAttempts)
}

func (r *Runner) once(ctx context.Context, from Origin, decide Decide) ([]eventlog.Event, error) {
	var head int64
	var plan Plan
	err := r.store.Read(ctx, from.Organization, func(v readmodel.View) (err error) {
		if head, err = admit(ctx, v, from); err != nil {
			return err
		}
		plan, err = decide(ctx, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r.log.AppendWith(ctx, from.toAppend(head, plan), plan.Parts...)
}

func (from Origin) toAppend(head int64, plan Plan) eventlog.Append {
	return eventlog.Append{
		OrganizationID: from.Organization, Head: head, Changes: plan.Changes, Actor: from.Actor, RequestID: from.RequestID,
		Source: from.Source,
	}
}

// admit returns the head that a decision stands on. A suspension that commits later
// moves it: nothing of the tenant's own is recorded after one.
func admit(ctx context.Context, v readmodel.View, from Origin) (int64, error) {
	standing, err := readmodel.StandingOf(ctx, v)
	switch {
	case err != nil:
		return 0, err
	case from.Operator:
	case standing.Archived:
		return 0, organization.Unknown(from.Organization)
	case standing.Suspended:
		return 0, organization.Suspended()
	}
	return standing.Head, nil
}

// saidMeanwhile tells that another process stored the answer of the same request
// first. Commands that change something find the log moved; a no-op does not.
func saidMeanwhile(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.ConstraintName == "idempotency_pkey"
}

func pause(ctx context.Context, attempt int) error {
	if attempt == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait to decide again: %w", ctx.Err())
	case <-time.After(time.Duration(attempt) * time.Millisecond):
		return nil
	}
}
