package rerating

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rerate"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// States of a run.
const (
	Running = "running"
	Done    = "done"
	Failed  = "failed"
)

// Run is how far a re-rate is.
type Run struct {
	ID      uuid.UUID
	State   string
	Failure string
	// Reached: requests that began before this were looked at.
	Reached time.Time
	// planned is until when the next window lasts; zero: that is not decided.
	planned    time.Time
	Tally      rerate.Tally
	FinishedAt time.Time
}

// Begin is the log's part that puts a new re-rate up to be carried out.
func Begin(_ context.Context, _ pgx.Tx, batch *pgx.Batch, recorded []eventlog.Event) error {
	const put = `INSERT INTO rerate_run (organization_id, id, state, reached_at) VALUES ($1, $2, 'running', $3)`
	for _, e := range recorded {
		if body, ok := e.Body.(*eventv1.RerateStarted); ok {
			batch.Queue(put, e.OrganizationID, e.Subject, body.GetFrom().AsTime())
		}
	}
	return nil
}

// AnyRunning tells whether one of the organization is not done.
func AnyRunning(ctx context.Context, v readmodel.View) (running bool, err error) {
	const query = `SELECT EXISTS (SELECT FROM rerate_run WHERE organization_id = $1 AND state = 'running')`
	if err := v.Tx.QueryRow(ctx, query, v.Organization).Scan(&running); err != nil {
		return false, fmt.Errorf("look for running re-rates: %w", err)
	}
	return running, nil
}

// RunsOf returns the organization's runs by their ids, with the totals of each alone.
func RunsOf(ctx context.Context, v readmodel.View) (map[uuid.UUID]Run, error) {
	const query = `SELECT id, state, failure, reached_at, planned_until, json_build_object('total', tally -> 'total')::text, finished_at
		FROM rerate_run WHERE organization_id = $1`
	rows, err := v.Tx.Query(ctx, query, v.Organization)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	all, err := pgx.CollectRows(rows, fromRow)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	by := make(map[uuid.UUID]Run, len(all))
	for _, r := range all {
		by[r.ID] = r
	}
	return by, nil
}

const runColumns = `SELECT id, state, failure, reached_at, planned_until, tally::text, finished_at FROM rerate_run WHERE organization_id = $1 AND id = $2`

// RunOf returns one run with all that it found; false: there is none.
func RunOf(ctx context.Context, v readmodel.View, id uuid.UUID) (Run, bool, error) {
	return one(ctx, v.Tx, runColumns, v.Organization, id)
}

func one(ctx context.Context, tx pgx.Tx, query string, args ...any) (r Run, ok bool, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return r, false, fmt.Errorf("read a run: %w", err)
	}
	r, err = pgx.CollectExactlyOneRow(rows, fromRow)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("read a run: %w", err)
	}
	return r, true, nil
}

func fromRow(row pgx.CollectableRow) (r Run, err error) {
	var tally string
	var planned, finished *time.Time
	if err := row.Scan(&r.ID, &r.State, &r.Failure, &r.Reached, &planned, &tally, &finished); err != nil {
		return r, err
	}
	if planned != nil {
		r.planned = planned.UTC()
	}
	if finished != nil {
		r.FinishedAt = finished.UTC()
	}
	r.Reached = r.Reached.UTC()
	err = json.Unmarshal([]byte(tally), &r.Tally)
	return r, err
}

// table is what runners of all processes share.
type table struct{ db *postgres.DB }

// owned is a run of some organization.
type owned struct{ organization, id uuid.UUID }

// running lists those of all organizations that are not done, in any order: one that stands
// still is in the way of the others by chance only.
func (t table) running(ctx context.Context) (all []owned, err error) {
	err = t.db.SystemRead(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "SELECT organization_id, id FROM rerate_run WHERE state = 'running' ORDER BY random()")
		if err != nil {
			return err
		}
		var o owned
		_, err = pgx.ForEachRow(rows, []any{&o.organization, &o.id}, func() error { all = append(all, o); return nil })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for re-rates: %w", err)
	}
	return all, nil
}

// holdFor is longer than the statements of a step take, each of which is bounded, and longer
// than Postgres lets other transactions be idle.
const holdFor = 140 * time.Second

// hold runs do with the run in hand, which nobody else then has, and stores what it made of
// it; false: somebody else has it, or it is not running.
func (t table) hold(ctx context.Context, o owned, do func(*Run) error) (held bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, holdFor)
	defer cancel()
	err = t.db.InOrganization(ctx, o.organization, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL idle_in_transaction_session_timeout = '150s'"); err != nil {
			return err
		}
		r, ok, err := one(ctx, tx, runColumns+" AND state = 'running' FOR UPDATE SKIP LOCKED", o.organization, o.id)
		if held = ok; err != nil || !ok {
			return err
		}
		if err := do(&r); err != nil {
			return err
		}
		return save(ctx, tx, o.organization, r)
	})
	return held, err
}

func save(ctx context.Context, tx pgx.Tx, organization uuid.UUID, r Run) error {
	const update = `UPDATE rerate_run SET state = $3, failure = $4, reached_at = $5, planned_until = $6, tally = $7,
		finished_at = CASE WHEN $3 = 'running' THEN NULL ELSE now() END WHERE organization_id = $1 AND id = $2`
	tally, err := json.Marshal(r.Tally)
	if err != nil {
		return fmt.Errorf("encode a tally: %w", err)
	}
	var planned *time.Time
	if !r.planned.IsZero() {
		planned = &r.planned
	}
	if _, err := tx.Exec(ctx, update, organization, r.ID, r.State, r.Failure, r.Reached, planned, string(tally)); err != nil {
		return fmt.Errorf("save how far re-rate %s is: %w", r.ID, err)
	}
	return nil
}
