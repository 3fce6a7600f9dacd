package readmodel

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
)

const (
	// readPage is how many events are read at once; three such pages are in memory.
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
		if done.Events, err = s.refoldLog(ctx, v, r.Progress); err != nil {
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
func (s *Store) refoldLog(ctx context.Context, v View, progress func(folded, head int64)) (int64, error) {
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
	err = s.readAhead(ctx, v.Organization, head, func(page []eventlog.Event) error {
		for _, e := range page {
			for _, t := range twins {
				if err := t.take(ctx, v, e); err != nil {
					return err
				}
			}
			folded = e.Version
		}
		if progress != nil {
			progress(folded, head)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, t := range twins {
		if err := t.finish(ctx, v); err != nil {
			return 0, err
		}
	}
	return folded, nil
}

// readAhead hands the log up to head to take, a page at a time; the next page is read
// and decoded meanwhile, on a connection of its own. Another transaction sees the same:
// what is in the log never changes.
func (s *Store) readAhead(ctx context.Context, organization uuid.UUID, head int64, take func([]eventlog.Event) error) error {
	pages := make(chan []eventlog.Event, 1)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(pages)
		return s.Read(ctx, organization, func(v View) error { return readLog(ctx, v, head, pages) })
	})
	group.Go(func() error {
		for page := range pages {
			if err := take(page); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// readLog sends every event up to head, and none is missing.
func readLog(ctx context.Context, v View, head int64, pages chan<- []eventlog.Event) error {
	for read := int64(0); read < head; {
		page, err := pglog.ReadIn(ctx, v.Tx, v.Organization, read, int(min(readPage, head-read)))
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return fmt.Errorf("the log ends at version %d and its head says %d", read, head)
		}
		if err := known(page); err != nil {
			return err
		}
		for _, e := range page {
			if read++; e.Version != read {
				return fmt.Errorf("the log has no version %d", read)
			}
		}
		select {
		case pages <- page:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
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
