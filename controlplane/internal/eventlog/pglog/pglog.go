// Package pglog keeps the organization log in Postgres. An append compares and
// sets the organization's head under its row's lock, and commits in one
// transaction with the read models and whatever else belongs to the decision.
package pglog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

var _ eventlog.Log = (*Log)(nil)

// Part is something that commits with the events: it may read in tx and queues
// its writes, which go out together. recorded is empty for a no-op.
type Part func(ctx context.Context, tx pgx.Tx, batch *pgx.Batch, recorded []eventlog.Event) error

// Log is the organization log of every organization in one database.
type Log struct {
	db    *postgres.DB
	parts []Part
}

// New returns a log whose appends all write these parts; the read models are one.
func New(db *postgres.DB, parts ...Part) *Log {
	return &Log{db: db, parts: parts}
}

// Append implements eventlog.Log.
func (l *Log) Append(ctx context.Context, a eventlog.Append) ([]eventlog.Event, error) {
	return l.AppendWith(ctx, a)
}

// AppendWith is Append with further parts for this decision only.
func (l *Log) AppendWith(ctx context.Context, a eventlog.Append, parts ...Part) ([]eventlog.Event, error) {
	var recorded []eventlog.Event
	err := l.db.InOrganization(ctx, a.OrganizationID, func(tx pgx.Tx) error {
		at, err := advance(ctx, tx, a)
		if err != nil {
			return err
		}
		recorded, err = Record(a, at)
		if err != nil {
			return err
		}
		return write(ctx, tx, recorded, append(l.parts[:len(l.parts):len(l.parts)], parts...))
	})
	if err != nil {
		return nil, fmt.Errorf("append to organization %s after version %d: %w", a.OrganizationID, a.Head, err)
	}
	return recorded, nil
}

// advance moves the head and takes its row's lock until the commit. The time is
// read after the lock, so that it has the order of the versions.
func advance(ctx context.Context, tx pgx.Tx, a eventlog.Append) (time.Time, error) {
	const begin = `INSERT INTO organization_head (organization_id, head, recorded_at)
		VALUES ($1, $2, clock_timestamp()) ON CONFLICT DO NOTHING RETURNING recorded_at`
	const move = `UPDATE organization_head SET head = head + $2,
		recorded_at = greatest(recorded_at, clock_timestamp()), changed_by = pg_current_xact_id()
		WHERE organization_id = $1 AND head = $3 RETURNING recorded_at`
	const stay = `SELECT recorded_at FROM organization_head WHERE organization_id = $1 AND head = $2 FOR UPDATE`
	var row pgx.Row
	switch {
	case a.Head == 0 && len(a.Changes) > 0:
		row = tx.QueryRow(ctx, begin, a.OrganizationID, len(a.Changes))
	case len(a.Changes) == 0:
		row = tx.QueryRow(ctx, stay, a.OrganizationID, a.Head)
	default:
		row = tx.QueryRow(ctx, move, a.OrganizationID, len(a.Changes), a.Head)
	}
	var at time.Time
	err := row.Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, eventlog.ErrStale
	}
	if err != nil {
		return at, fmt.Errorf("move head: %w", err)
	}
	return at.UTC(), nil
}

// Record turns an append into the events it becomes. Bodies are decoded from what
// is stored, so that a live read model folds the same as a rebuilt one.
func Record(a eventlog.Append, at time.Time) ([]eventlog.Event, error) {
	recorded := make([]eventlog.Event, 0, len(a.Changes))
	for i, change := range a.Changes {
		kind, payload, err := eventlog.Encode(change.Body)
		if err != nil {
			return nil, err
		}
		body, err := eventlog.Decode(kind, payload)
		if err != nil {
			return nil, err
		}
		recorded = append(recorded, eventlog.Event{
			OrganizationID: a.OrganizationID, Version: a.Head + int64(i) + 1,
			Kind: kind, Subject: change.Subject, Payload: payload, Body: body,
			Actor: a.Actor, RequestID: a.RequestID, Source: a.Source.Bounded(), RecordedAt: at,
		})
	}
	return recorded, nil
}

func write(ctx context.Context, tx pgx.Tx, recorded []eventlog.Event, parts []Part) error {
	const insert = `INSERT INTO event
		(organization_id, version, kind, subject, payload, actor, request_id, recorded_at, client_address, user_agent)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	batch := &pgx.Batch{}
	for _, e := range recorded {
		batch.Queue(insert, e.OrganizationID, e.Version, e.Kind, e.Subject, string(e.Payload), e.Actor, e.RequestID, e.RecordedAt,
			e.Source.Address, e.Source.UserAgent)
	}
	for _, part := range parts {
		if err := part(ctx, tx, batch, recorded); err != nil {
			return err
		}
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write events and what goes with them: %w", err)
	}
	return nil
}
