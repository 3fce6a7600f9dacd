package readmodel

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
)

const (
	// readPage is how many events are in memory at once.
	readPage = 2000
	// shownDifferences bounds what is kept of a read model that is lost as a whole.
	shownDifferences = 1000
)

// Rebuilding says what to rebuild.
type Rebuilding struct {
	Organization uuid.UUID
	// Replace puts what was folded in the place of what differs.
	Replace bool
	// Progress, if set, hears of the version that was folded last and of the last
	// one that there is, about every few thousand.
	Progress func(folded, head int64)
}

// Rebuilt is what came of it.
type Rebuilt struct {
	// Events is how many were folded: the log's head.
	Events int64
	// Differences are the first thousand of Count.
	Differences []Difference
	Count       int
}

// Rebuild folds an organization's whole log again, in one transaction, and
// compares. It keeps the things that live in memory, not the log. Readers are
// served meanwhile; the organization's log stands still only where rows are to be
// replaced.
func (s *Store) Rebuild(ctx context.Context, r Rebuilding) (Rebuilt, error) {
	enter := s.db.Scratch
	if r.Replace {
		enter = s.db.InOrganization
	}
	var done Rebuilt
	err := enter(ctx, r.Organization, func(tx pgx.Tx) (err error) {
		v := View{Tx: tx, Organization: r.Organization}
		if r.Replace {
			const hold = `SELECT FROM organization_head WHERE organization_id = $1 FOR UPDATE`
			if _, err := tx.Exec(ctx, hold, r.Organization); err != nil {
				return fmt.Errorf("hold the log: %w", err)
			}
		}
		if done.Events, err = refoldLog(ctx, v, r.Progress); err != nil {
			return err
		}
		return settle(ctx, v, r.Replace, &done)
	})
	if err != nil {
		return Rebuilt{}, fmt.Errorf("rebuild organization %s: %w", r.Organization, err)
	}
	return done, nil
}

// refoldLog fills a temporary twin of every table from the log.
func refoldLog(ctx context.Context, v View, progress func(folded, head int64)) (int64, error) {
	head, err := Head(ctx, v)
	if err != nil {
		return 0, err
	}
	twins := make([]*twin, 0, len(projections))
	for _, p := range projections {
		t, err := newTwin(ctx, v, p)
		if err != nil {
			return 0, err
		}
		twins = append(twins, t)
	}
	folded := int64(0)
	for folded < head {
		page, err := pglog.ReadIn(ctx, v.Tx, v.Organization, folded, readPage)
		if err != nil {
			return 0, err
		}
		if len(page) == 0 {
			return 0, fmt.Errorf("the log ends at version %d and its head says %d", folded, head)
		}
		if err := known(page); err != nil {
			return 0, err
		}
		for _, e := range page {
			if folded++; e.Version != folded {
				return 0, fmt.Errorf("the log has no version %d", folded)
			}
			for _, t := range twins {
				if err := t.take(ctx, v, e); err != nil {
					return 0, err
				}
			}
		}
		if progress != nil {
			progress(folded, head)
		}
	}
	for _, t := range twins {
		if err := t.finish(ctx, v); err != nil {
			return 0, err
		}
	}
	return folded, nil
}

// settle compares every table with its twin, and puts right what differs if asked.
func settle(ctx context.Context, v View, replace bool, done *Rebuilt) error {
	for _, p := range projections {
		table := p.tableName()
		differences, count, err := compare(ctx, v, p)
		if err != nil {
			return fmt.Errorf("compare table %s: %w", table, err)
		}
		done.Count += count
		room := shownDifferences - len(done.Differences)
		done.Differences = append(done.Differences, differences[:min(room, len(differences))]...)
		if count == 0 || !replace {
			continue
		}
		if err := replaceRows(ctx, v, table); err != nil {
			return fmt.Errorf("replace rows of table %s: %w", table, err)
		}
	}
	return nil
}
