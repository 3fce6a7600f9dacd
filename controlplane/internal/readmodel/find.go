package readmodel

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// Match asks for rows whose column has a value, or one of several ids; nil: none.
type Match struct {
	Column string
	Value  any
	// Holds asks for an id in a column of many, in the place of Value.
	Holds uuid.UUID
}

// Find returns the row with this id that is true in the view, or a NotFound fault:
// the same for what never existed and for what another organization has.
func (t *Table[T]) Find(ctx context.Context, v View, id uuid.UUID) (T, error) {
	found, err := t.All(ctx, v, Match{Column: "id", Value: id})
	if err == nil && len(found) == 0 {
		err = t.Missing(id)
	}
	if err != nil {
		var none T
		return none, err
	}
	return found[0], nil
}

// Missing is the NotFound fault of Find.
func (t *Table[T]) Missing(id uuid.UUID) error {
	return fault.Because(fault.NotFound, t.Kind()+"_not_found", "no %s %s", t.thing, id)
}

// Any tells whether a row of the view matches.
func (t *Table[T]) Any(ctx context.Context, v View, matches ...Match) (bool, error) {
	found, err := t.All(ctx, v, matches...)
	return len(found) > 0, err
}

// All returns the view's rows that match, by id.
func (t *Table[T]) All(ctx context.Context, v View, matches ...Match) ([]T, error) {
	return t.states(ctx, v, " ORDER BY id", matches)
}

// Some returns at most limit of the view's rows that match, in no order.
func (t *Table[T]) Some(ctx context.Context, v View, limit int, matches ...Match) ([]T, error) {
	return t.states(ctx, v, fmt.Sprintf(" LIMIT %d", limit), matches)
}

func (t *Table[T]) states(ctx context.Context, v View, end string, matches []Match) ([]T, error) {
	where, args := v.where(matches)
	rows, err := v.Tx.Query(ctx, "SELECT state::text FROM "+t.name+where+end, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.name, err)
	}
	found, err := pgx.CollectRows(rows, fromState[T])
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.name, err)
	}
	return found, nil
}

// Mentioning returns at most limit rows of the view whose state names the id
// anywhere, by their own ids: what stands on the thing that has it.
func (t *Table[T]) Mentioning(ctx context.Context, v View, id uuid.UUID, limit int, matches ...Match) ([]T, error) {
	where, args := v.where(matches)
	query := fmt.Sprintf("SELECT state::text FROM %s%s AND id <> $%d AND strpos(state::text, $%d) > 0 ORDER BY id LIMIT %d",
		t.name, where, len(args)+1, len(args)+2, limit)
	rows, err := v.Tx.Query(ctx, query, append(args, id, id.String())...)
	if err != nil {
		return nil, fmt.Errorf("look for %s in %s: %w", id, t.name, err)
	}
	found, err := pgx.CollectRows(rows, fromState[T])
	if err != nil {
		return nil, fmt.Errorf("look for %s in %s: %w", id, t.name, err)
	}
	return found, nil
}

// where names the organization although row-level security would, too.
func (v View) where(matches []Match) (string, []any) {
	text, args := " WHERE organization_id = $1 AND valid_to IS NULL", []any{v.Organization}
	if v.AsOf > 0 {
		text = " WHERE organization_id = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)"
		args = append(args, v.AsOf)
	}
	for _, m := range matches {
		if m.Holds != uuid.Nil {
			args = append(args, m.Holds)
			text += fmt.Sprintf(" AND $%d = ANY(%s)", len(args), m.Column)
			continue
		}
		if m.Value == nil {
			text += " AND " + m.Column + " IS NULL"
			continue
		}
		args = append(args, m.Value)
		condition := " AND %s = $%d"
		if _, some := m.Value.([]uuid.UUID); some {
			condition = " AND %s = ANY($%d)"
		}
		text += fmt.Sprintf(condition, m.Column, len(args))
	}
	return text, args
}

func fromState[T any](r pgx.CollectableRow) (T, error) {
	var one T
	var state pgtype.DriverBytes
	if err := r.Scan(&state); err != nil {
		return one, err
	}
	return one, json.Unmarshal(state, &one)
}

// one runs a query over every organization that selects a state.
func one[T any](ctx context.Context, tx pgx.Tx, query string, args ...any) (T, bool, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		var none T
		return none, false, err
	}
	found, err := pgx.CollectExactlyOneRow(rows, fromState[T])
	if errors.Is(err, pgx.ErrNoRows) {
		return found, false, nil
	}
	return found, err == nil, err
}

// Which of the ids have a row in the view.
func (t *Table[T]) Which(ctx context.Context, v View, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	where, args := v.where(nil)
	query := fmt.Sprintf("SELECT id FROM %s%s AND id = ANY($%d)", t.name, where, len(args)+1)
	rows, err := v.Tx.Query(ctx, query, append(args, ids)...)
	if err != nil {
		return nil, fmt.Errorf("look for ids in %s: %w", t.name, err)
	}
	found := map[uuid.UUID]bool{}
	var id uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		found[id] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for ids in %s: %w", t.name, err)
	}
	return found, nil
}

// TakenByOther tells whether another row than the one with this id matches.
func (t *Table[T]) TakenByOther(ctx context.Context, v View, id uuid.UUID, matches ...Match) (bool, error) {
	where, args := v.where(matches)
	query := fmt.Sprintf("SELECT EXISTS (SELECT FROM %s%s AND id <> $%d)", t.name, where, len(args)+1)
	var exists bool
	if err := v.Tx.QueryRow(ctx, query, append(args, id)...).Scan(&exists); err != nil {
		return false, fmt.Errorf("look in %s: %w", t.name, err)
	}
	return exists, nil
}

// Count returns how many rows of the view match.
func (t *Table[T]) Count(ctx context.Context, v View, matches ...Match) (int, error) {
	where, args := v.where(matches)
	var count int
	if err := v.Tx.QueryRow(ctx, "SELECT count(*) FROM "+t.name+where, args...).Scan(&count); err != nil {
		return 0, fmt.Errorf("count %s: %w", t.name, err)
	}
	return count, nil
}
