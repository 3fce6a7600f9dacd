package pglog

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
)

// Read implements eventlog.Log.
func (l *Log) Read(ctx context.Context, organization uuid.UUID, after int64, limit int) ([]eventlog.Event, error) {
	var events []eventlog.Event
	err := l.db.InOrganization(ctx, organization, func(tx pgx.Tx) (err error) {
		events, err = ReadIn(ctx, tx, organization, after, limit)
		return err
	})
	return events, err
}

// Head implements eventlog.Log.
func (l *Log) Head(ctx context.Context, organization uuid.UUID) (int64, error) {
	var head int64
	err := l.db.InOrganization(ctx, organization, func(tx pgx.Tx) (err error) {
		head, err = HeadIn(ctx, tx, organization)
		return err
	})
	return head, err
}

// HeadIn is Head in a transaction that is in the organization already.
func HeadIn(ctx context.Context, tx pgx.Tx, organization uuid.UUID) (int64, error) {
	var head int64
	err := tx.QueryRow(ctx, `SELECT head FROM organization_head WHERE organization_id = $1`, organization).Scan(&head)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("read head of organization %s: %w", organization, err)
	}
	return head, nil
}

// ReadIn is Read in a transaction that is in the organization already.
func ReadIn(ctx context.Context, tx pgx.Tx, organization uuid.UUID, after int64, limit int) ([]eventlog.Event, error) {
	const query = `SELECT ` + columns + ` FROM event WHERE organization_id = $1 AND version > $2 ORDER BY version LIMIT $3`
	rows, err := tx.Query(ctx, query, organization, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read log of organization %s: %w", organization, err)
	}
	events, err := pgx.CollectRows(rows, fromRow)
	if err != nil {
		return nil, fmt.Errorf("read log of organization %s: %w", organization, err)
	}
	return events, nil
}

// columns are those that fromRow reads.
const columns = `organization_id, version, kind, subject, payload::text, actor, request_id, recorded_at, client_address, user_agent`

func fromRow(row pgx.CollectableRow) (eventlog.Event, error) {
	var e eventlog.Event
	var payload string
	err := row.Scan(&e.OrganizationID, &e.Version, &e.Kind, &e.Subject, &payload, &e.Actor, &e.RequestID, &e.RecordedAt,
		&e.Source.Address, &e.Source.UserAgent)
	if err != nil {
		return e, err
	}
	e.Payload, e.RecordedAt = []byte(payload), e.RecordedAt.UTC()
	e.Body, err = eventlog.Decode(e.Kind, e.Payload)
	if err != nil {
		return e, fmt.Errorf("version %d: %w", e.Version, err)
	}
	return e, nil
}
