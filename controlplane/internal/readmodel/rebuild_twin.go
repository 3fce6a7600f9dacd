package readmodel

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
)

// copyRows is how many rows go to Postgres at once.
const copyRows = 2000

// refold is a table's rows while the log goes by.
type refold interface {
	// take folds an event and returns the row that ends with it, if any.
	take(e eventlog.Event) (*row, error)
	// rest are the rows that no event ended.
	rest() []row
}

type refolding[T any] struct {
	fold[T]
	open map[uuid.UUID]row
}

func (t *Table[T]) refold() refold {
	return &refolding[T]{fold: fold[T]{t, map[uuid.UUID]*T{}}, open: map[uuid.UUID]row{}}
}

func (r *refolding[T]) take(e eventlog.Event) (*row, error) {
	id, ok, err := r.table.claims(e)
	if err != nil || !ok {
		return nil, err
	}
	next, err := r.step(id, e)
	if err != nil {
		return nil, err
	}
	ended, ok := r.open[id]
	delete(r.open, id)
	if next != nil {
		r.open[id] = *next
	}
	if !ok {
		return nil, nil
	}
	ended.validTo = &e.Version
	return &ended, nil
}

func (r *refolding[T]) rest() []row {
	rows := make([]row, 0, len(r.open))
	for _, one := range r.open {
		rows = append(rows, one)
	}
	return rows
}

func (t *Table[T]) columnNames() []string {
	return append([]string{"organization_id", "id", "valid_from", "valid_to", "state"}, t.columns...)
}

// twin is the temporary table that a read model is folded into.
type twin struct {
	projection
	refold
	name   string
	buffer [][]any
}

func newTwin(ctx context.Context, v View, p projection) (*twin, error) {
	t := &twin{projection: p, refold: p.refold(), name: "refolded_" + p.tableName()}
	create := "CREATE TEMPORARY TABLE " + t.name + " (LIKE " + p.tableName() + ") ON COMMIT DROP"
	if _, err := v.Tx.Exec(ctx, create); err != nil {
		return nil, fmt.Errorf("make table %s: %w", t.name, err)
	}
	return t, nil
}

func (t *twin) take(ctx context.Context, v View, e eventlog.Event) error {
	ended, err := t.refold.take(e)
	if err != nil || ended == nil {
		return err
	}
	return t.keep(ctx, v, *ended)
}

func (t *twin) finish(ctx context.Context, v View) error {
	for _, open := range t.rest() {
		if err := t.keep(ctx, v, open); err != nil {
			return err
		}
	}
	return t.flush(ctx, v)
}

func (t *twin) keep(ctx context.Context, v View, r row) error {
	values := append([]any{v.Organization, r.id, r.validFrom, r.validTo, string(r.state)}, r.columns...)
	t.buffer = append(t.buffer, values)
	if len(t.buffer) < copyRows {
		return nil
	}
	return t.flush(ctx, v)
}

func (t *twin) flush(ctx context.Context, v View) error {
	if len(t.buffer) == 0 {
		return nil
	}
	if _, err := v.Tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columnNames(), pgx.CopyFromRows(t.buffer)); err != nil {
		return fmt.Errorf("copy to table %s: %w", t.name, err)
	}
	t.buffer = t.buffer[:0]
	return nil
}
