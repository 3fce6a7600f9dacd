package readmodel

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
)

// row is one version of one thing.
type row struct {
	id        uuid.UUID
	validFrom int64
	// validTo is nil for what is true now.
	validTo *int64
	state   []byte
	columns []any
}

// fold is the states of a table while events go by; nil: there was one, and it ended.
type fold[T any] struct {
	table  *Table[T]
	states map[uuid.UUID]*T
}

// step applies an event and returns the row's new version; none where it ended.
func (f fold[T]) step(id uuid.UUID, e eventlog.Event) (*row, error) {
	was := f.states[id]
	if (was != nil) == f.table.makes(e.Kind) {
		return nil, fmt.Errorf("fold version %d: %s of %s %s: it exists: %t", e.Version, e.Kind, f.table.thing, id, was != nil)
	}
	if f.table.closes(e.Kind) {
		f.states[id] = nil
		return nil, nil
	}
	if was == nil {
		was = new(T)
	}
	next, err := f.table.apply(*was, e)
	if err != nil {
		return nil, fmt.Errorf("fold version %d: %w", e.Version, err)
	}
	f.states[id] = &next
	state, err := json.Marshal(next)
	if err != nil {
		return nil, fmt.Errorf("fold version %d: %s %s: %w", e.Version, f.table.thing, id, err)
	}
	return &row{id: id, validFrom: e.Version, state: state, columns: f.table.values(next)}, nil
}

func (t *Table[T]) project(ctx context.Context, tx pgx.Tx, batch *pgx.Batch, events []eventlog.Event) error {
	closing := "UPDATE " + t.name + " SET valid_to = $3 WHERE organization_id = $1 AND id = $2 AND valid_to IS NULL"
	f := fold[T]{t, map[uuid.UUID]*T{}}
	for _, e := range events {
		id, ok, err := t.claims(e)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := f.load(ctx, View{Tx: tx, Organization: e.OrganizationID}, id, e); err != nil {
			return err
		}
		if !t.makes(e.Kind) {
			batch.Queue(closing, e.OrganizationID, id, e.Version)
		}
		next, err := f.step(id, e)
		if err != nil {
			return err
		}
		if next != nil {
			t.queueInsert(batch, t.name, e.OrganizationID, *next)
		}
	}
	return nil
}

// load reads the state that the event changes, once; the row that one makes is not
// there yet, or not any more.
func (f fold[T]) load(ctx context.Context, v View, id uuid.UUID, e eventlog.Event) error {
	if _, ok := f.states[id]; ok || f.table.makes(e.Kind) {
		return nil
	}
	state, err := f.table.Find(ctx, v, id)
	if err != nil {
		return err
	}
	f.states[id] = &state
	return nil
}

func (t *Table[T]) queueInsert(batch *pgx.Batch, into string, organization uuid.UUID, r row) {
	args := append([]any{organization, r.id, r.validFrom, r.validTo, string(r.state)}, r.columns...)
	batch.Queue(t.insertInto(into), args...)
}
