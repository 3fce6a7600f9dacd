package audit

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// Begin chains the events that no link covers, as they are now: those from before
// chains, or of a release from before that ran beside this one. Their links say
// that they came late. It returns how many events it chained.
func Begin(ctx context.Context, db *postgres.DB, ring *Keyring, organization uuid.UUID) (chained int64, err error) {
	err = db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		gaps, err := findGaps(ctx, tx, organization)
		if err != nil {
			return err
		}
		for _, g := range gaps {
			if err := ring.fill(ctx, tx, organization, g); err != nil {
				return err
			}
			chained += g.last - g.first + 1
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("chain organization %s: %w", organization, err)
	}
	return chained, nil
}

// gap is a range that no link covers.
type gap struct {
	first, last int64
	previous    []byte
}

// findGaps holds the log until the commit.
func findGaps(ctx context.Context, tx pgx.Tx, organization uuid.UUID) ([]gap, error) {
	var head int64
	const hold = `SELECT head FROM organization_head WHERE organization_id = $1 FOR UPDATE`
	if err := tx.QueryRow(ctx, hold, organization).Scan(&head); err != nil {
		return nil, fmt.Errorf("hold the log: %w", err)
	}
	const query = `SELECT first, last, code FROM audit_link WHERE organization_id = $1 ORDER BY last`
	rows, err := tx.Query(ctx, query, organization)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	var gaps []gap
	next, before := int64(1), []byte(nil)
	var l link
	_, err = pgx.ForEachRow(rows, []any{&l.first, &l.last, &l.code}, func() error {
		if l.first > next {
			gaps = append(gaps, gap{next, l.first - 1, before})
		}
		next, before = l.last+1, l.code
		l.code = nil // not to be written over
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	if head >= next {
		gaps = append(gaps, gap{next, head, before})
	}
	return gaps, nil
}

// fill makes links of at most a page each.
func (k *Keyring) fill(ctx context.Context, tx pgx.Tx, organization uuid.UUID, g gap) error {
	const query = selectEvents + ` WHERE organization_id = $1 AND version BETWEEN $2 AND $3 ORDER BY version`
	previous := g.previous
	for first := g.first; first <= g.last; first += fetchPage {
		last := min(g.last, first+fetchPage-1)
		rows, err := tx.Query(ctx, query, organization, first, last)
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		events, err := pgx.CollectRows(rows, scanEvent)
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		if err := whole(events, first, last); err != nil {
			return err
		}
		l := k.link(previous, events, true)
		batch := &pgx.Batch{}
		l.queue(batch)
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return fmt.Errorf("write link: %w", err)
		}
		previous = l.code
	}
	return nil
}

func whole(events []eventlog.Event, first, last int64) error {
	for i, e := range events {
		if e.Version != first+int64(i) {
			return fault.New(fault.Precondition, "version %d is missing: a row was removed; nothing is chained, restore it from a backup first", first+int64(i))
		}
	}
	if int64(len(events)) != last-first+1 {
		return fault.New(fault.Precondition, "version %d is missing: a row was removed; nothing is chained, restore it from a backup first", first+int64(len(events)))
	}
	return nil
}
