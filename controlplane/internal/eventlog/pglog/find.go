package pglog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
)

// foundBytes is about how much of events' payloads FindIn returns at once: one can be of
// a megabyte.
const foundBytes = 256 << 10

// FindIn returns the first events of the organization that a filter takes, the oldest
// first, or the newest: limit of them, or fewer where they are large; none where there
// are none.
func FindIn(ctx context.Context, tx pgx.Tx, organization uuid.UUID, f eventlog.Filter, newest bool, limit int) ([]eventlog.Event, error) {
	first, last, err := bounds(ctx, tx, organization, f)
	if err != nil || first > last {
		return nil, err
	}
	where, args := conditions(organization, f, first, last)
	order := "version"
	if newest {
		order = "version DESC"
	}
	rows, err := tx.Query(ctx, fmt.Sprintf("SELECT %s FROM event WHERE %s ORDER BY %s LIMIT %d", columns, where, order, limit), args...)
	if err != nil {
		return nil, fmt.Errorf("find events of organization %s: %w", organization, err)
	}
	defer rows.Close()
	var events []eventlog.Event
	for bytes := 0; bytes < foundBytes && rows.Next(); {
		e, err := fromRow(rows)
		if err != nil {
			return nil, fmt.Errorf("find events of organization %s: %w", organization, err)
		}
		events, bytes = append(events, e), bytes+len(e.Payload)
	}
	if rows.Close(); rows.Err() != nil {
		return nil, fmt.Errorf("find events of organization %s: %w", organization, rows.Err())
	}
	return events, nil
}

// bounds are the versions that a filter is within. Times become versions, which have
// the same order, before the search: so that one index serves every filter. As a
// subquery they would not, since row security keeps those out of index conditions.
func bounds(ctx context.Context, tx pgx.Tx, organization uuid.UUID, f eventlog.Filter) (first, last int64, err error) {
	first, last = max(1, f.First), f.Last
	if last == 0 {
		last = math.MaxInt64
	}
	if !f.From.IsZero() {
		from, err := versionAt(ctx, tx, organization, f.From)
		if err != nil {
			return 0, 0, err
		}
		first = max(first, from)
	}
	if !f.Until.IsZero() {
		until, err := versionAt(ctx, tx, organization, f.Until)
		if err != nil {
			return 0, 0, err
		}
		last = min(last, until-1)
	}
	return first, last, nil
}

// versionAt is the first that was recorded at a time or later; more than any, if none was.
func versionAt(ctx context.Context, tx pgx.Tx, organization uuid.UUID, at time.Time) (int64, error) {
	const query = `SELECT version FROM event WHERE organization_id = $1 AND recorded_at >= $2 ORDER BY recorded_at, version LIMIT 1`
	version := int64(math.MaxInt64)
	err := tx.QueryRow(ctx, query, organization, at).Scan(&version)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("find the first event of organization %s after %s: %w", organization, at, err)
	}
	return version, nil
}

func conditions(organization uuid.UUID, f eventlog.Filter, first, last int64) (string, []any) {
	where, args := "organization_id = $1", []any{organization}
	add := func(condition string, arg any) {
		args = append(args, arg)
		where += fmt.Sprintf(" AND "+condition, len(args))
	}
	if first > 1 {
		add("version >= $%d", first)
	}
	if last < math.MaxInt64 {
		add("version <= $%d", last)
	}
	if f.Subject != uuid.Nil {
		add("subject = $%d", f.Subject)
	}
	if len(f.Kinds) > 0 {
		add("kind = ANY($%d)", f.Kinds)
	}
	if f.Actor != "" {
		add("actor = $%d", f.Actor)
	}
	if f.RequestID != "" {
		add("request_id <> '' AND request_id = $%d", f.RequestID)
	}
	return where, args
}
