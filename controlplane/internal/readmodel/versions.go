package readmodel

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Version is what one thing was from a version of the log on.
type Version[T any] struct {
	ID    uuid.UUID
	From  int64
	State T
}

// Versions returns all that the organization's things ever were, each in the order of
// versions. It is for kinds with few things that seldom change.
func (t *Table[T]) Versions(ctx context.Context, v View) ([]Version[T], error) {
	rows, err := v.Tx.Query(ctx, "SELECT id, valid_from, state::text FROM "+t.name+" WHERE organization_id = $1 ORDER BY id, valid_from", v.Organization)
	if err != nil {
		return nil, fmt.Errorf("read versions of %s: %w", t.name, err)
	}
	var all []Version[T]
	var one Version[T]
	var state string
	_, err = pgx.ForEachRow(rows, []any{&one.ID, &one.From, &state}, func() error {
		next := Version[T]{ID: one.ID, From: one.From}
		err := json.Unmarshal([]byte(state), &next.State)
		all = append(all, next)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read versions of %s: %w", t.name, err)
	}
	return all, nil
}

// Ever tells whether the organization ever had a thing with this id.
func (t *Table[T]) Ever(ctx context.Context, v View, id uuid.UUID) (exists bool, err error) {
	query := "SELECT EXISTS (SELECT FROM " + t.name + " WHERE organization_id = $1 AND id = $2)"
	if err := v.Tx.QueryRow(ctx, query, v.Organization, id).Scan(&exists); err != nil {
		return false, fmt.Errorf("look in %s: %w", t.name, err)
	}
	return exists, nil
}
