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

// Link queues the audit link of an append; previous is the code of the link before,
// empty where there is none. See audit.Keyring.
type Link func(batch *pgx.Batch, previous []byte, recorded []eventlog.Event)

// Log is the organization log of every organization in one database.
type Log struct {
	db    *postgres.DB
	parts []Part
	link  Link
}

// New returns a log whose appends all write these parts; the read models are one.
func New(db *postgres.DB, parts ...Part) *Log {
	return &Log{db: db, parts: parts}
}

// ChainedBy returns the log with every append linked into its organization's audit
// chain.
func (l *Log) ChainedBy(link Link) *Log {
	return &Log{db: l.db, parts: l.parts, link: link}
}

// Append implements eventlog.Log.
func (l *Log) Append(ctx context.Context, a eventlog.Append) ([]eventlog.Event, error) {
	return l.AppendWith(ctx, a)
}

// AppendWith is Append with further parts for this decision only.
func (l *Log) AppendWith(ctx context.Context, a eventlog.Append, parts ...Part) ([]eventlog.Event, error) {
	var recorded []eventlog.Event
	err := l.db.InOrganization(ctx, a.OrganizationID, func(tx pgx.Tx) (err error) {
		var batch *pgx.Batch
		if recorded, batch, err = l.prepare(ctx, tx, a, parts); err != nil || batch.Len() == 0 {
			return err
		}
		return postgres.Finish(ctx, tx, batch)
	})
	return recorded, failed(a, err)
}

// AppendIn is AppendWith in a transaction that goes on: it sees what was appended
// before in it, and commits nothing.
func (l *Log) AppendIn(ctx context.Context, tx pgx.Tx, a eventlog.Append, parts ...Part) ([]eventlog.Event, error) {
	recorded, batch, err := l.prepare(ctx, tx, a, parts)
	if err == nil && batch.Len() > 0 {
		err = tx.SendBatch(ctx, batch).Close()
	}
	return recorded, failed(a, err)
}

func failed(a eventlog.Append, err error) error {
	if err != nil {
		return fmt.Errorf("append to organization %s after version %d: %w", a.OrganizationID, a.Head, err)
	}
	return nil
}

// prepare moves the head and queues all that goes with the events.
func (l *Log) prepare(ctx context.Context, tx pgx.Tx, a eventlog.Append, parts []Part) ([]eventlog.Event, *pgx.Batch, error) {
	at, previous, err := advance(ctx, tx, a)
	if err != nil {
		return nil, nil, err
	}
	recorded, err := Record(a, at)
	if err != nil {
		return nil, nil, err
	}
	batch := &pgx.Batch{}
	queueEvents(batch, recorded)
	if l.link != nil && len(recorded) > 0 {
		l.link(batch, previous, recorded)
	}
	for _, part := range append(l.parts[:len(l.parts):len(l.parts)], parts...) {
		if err := part(ctx, tx, batch, recorded); err != nil {
			return nil, nil, err
		}
	}
	return recorded, batch, nil
}

// advance moves the head and takes its row's lock until the commit. The time is
// read after the lock, so that it has the order of the versions. previous is the
// code of the newest audit link: a snapshot that sees head V sees its link too.
func advance(ctx context.Context, tx pgx.Tx, a eventlog.Append) (at time.Time, previous []byte, err error) {
	const begin = `INSERT INTO organization_head (organization_id, head, recorded_at)
		VALUES ($1, $2, clock_timestamp()) ON CONFLICT DO NOTHING RETURNING recorded_at, NULL::bytea`
	const move = `UPDATE organization_head SET head = head + $2,
		recorded_at = greatest(recorded_at, clock_timestamp()), changed_by = pg_current_xact_id()
		WHERE organization_id = $1 AND head = $3 RETURNING recorded_at,
			(SELECT code FROM audit_link WHERE organization_id = $1 AND last <= $3 ORDER BY last DESC LIMIT 1)`
	const stay = `SELECT recorded_at, NULL::bytea FROM organization_head WHERE organization_id = $1 AND head = $2 FOR UPDATE`
	var row pgx.Row
	switch {
	case a.Head == 0 && len(a.Changes) > 0:
		row = tx.QueryRow(ctx, begin, a.OrganizationID, len(a.Changes))
	case len(a.Changes) == 0:
		row = tx.QueryRow(ctx, stay, a.OrganizationID, a.Head)
	default:
		row = tx.QueryRow(ctx, move, a.OrganizationID, len(a.Changes), a.Head)
	}
	err = row.Scan(&at, &previous)
	if errors.Is(err, pgx.ErrNoRows) {
		return at, nil, eventlog.ErrStale
	}
	if err != nil {
		return at, nil, fmt.Errorf("move head: %w", err)
	}
	return at.UTC(), previous, nil
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

func queueEvents(batch *pgx.Batch, recorded []eventlog.Event) {
	const insert = `INSERT INTO event
		(organization_id, version, kind, subject, payload, actor, request_id, recorded_at, client_address, user_agent)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	for _, e := range recorded {
		batch.Queue(insert, e.OrganizationID, e.Version, e.Kind, e.Subject, string(e.Payload), e.Actor, e.RequestID, e.RecordedAt,
			e.Source.Address, e.Source.UserAgent)
	}
}
