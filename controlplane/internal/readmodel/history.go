package readmodel

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
)

// Pair is one thing at two versions; nil: there it was not.
type Pair[T any] struct {
	ID            uuid.UUID
	Before, After *T
}

// Span is what Between compares.
type Span struct {
	// From and To are versions; To may be the lower one.
	From, To int64
	// After is the id that the answer goes on after.
	After uuid.UUID
	// Only this one; uuid.Nil: all.
	Only  uuid.UUID
	Limit int
}

// Kind is what the API calls one of its things: "service_account".
func (t *Table[T]) Kind() string { return strings.ReplaceAll(t.thing, " ", "_") }

// Between returns the things whose rows at two versions are not the same, by id, and
// whether there may be more: it returns fewer where they are large. Two rows may still
// say the same: it changed, and changed back.
func (t *Table[T]) Between(ctx context.Context, v View, s Span) (found []Pair[T], more bool, err error) {
	at := func(version string) string {
		return "(SELECT id, state::text FROM " + t.name + " WHERE organization_id = $1 AND valid_from <= " + version +
			" AND (valid_to IS NULL OR valid_to > " + version + ")" +
			" AND (valid_from > least($2::bigint, $3::bigint) OR valid_to <= greatest($2::bigint, $3::bigint)) AND id > $4 AND ($5::uuid IS NULL OR id = $5))" // not true of both
	}
	query := "SELECT coalesce(b.id, a.id), b.state, a.state FROM " + at("$2::bigint") + " b FULL JOIN " + at("$3::bigint") + " a ON a.id = b.id" +
		" ORDER BY 1 LIMIT $6"
	var only *uuid.UUID
	if s.Only != uuid.Nil {
		only = &s.Only
	}
	rows, err := v.Tx.Query(ctx, query, v.Organization, s.From, s.To, s.After, only, s.Limit)
	if err != nil {
		return nil, false, fmt.Errorf("compare %s: %w", t.name, err)
	}
	var id uuid.UUID
	var before, after *string
	bytes := 0
	_, err = pgx.ForEachRow(rows, []any{&id, &before, &after}, func() error {
		if more = bytes > PageBytes; more {
			return nil
		}
		bytes += rowBytes(rows)
		pair := Pair[T]{ID: id}
		if err := orNil(before, &pair.Before); err != nil {
			return err
		}
		err := orNil(after, &pair.After)
		found = append(found, pair)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("compare %s: %w", t.name, err)
	}
	return found, more || len(found) == s.Limit, nil
}

// Turns returns what each of the events did to the thing of the table that is its
// subject, by version; events about others are left out.
func (t *Table[T]) Turns(ctx context.Context, v View, events []eventlog.Event) (map[int64]Pair[T], error) {
	turns := map[int64]Pair[T]{}
	var ids []uuid.UUID
	var versions []int64
	for _, e := range events {
		id, ok, err := t.claims(e)
		if err != nil {
			return nil, err
		}
		if ok && id == e.Subject {
			ids, versions = append(ids, id), append(versions, e.Version)
			turns[e.Version] = Pair[T]{ID: id}
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	query := "SELECT valid_from, coalesce(valid_to, 0), state::text FROM " + t.name +
		" WHERE organization_id = $1 AND id = ANY($2) AND (valid_from = ANY($3) OR valid_to = ANY($3))"
	rows, err := v.Tx.Query(ctx, query, v.Organization, ids, versions)
	if err != nil {
		return nil, fmt.Errorf("read what events did to %s: %w", t.name, err)
	}
	var from, to int64
	var state string
	_, err = pgx.ForEachRow(rows, []any{&from, &to, &state}, func() error {
		var read *T
		err := orNil(&state, &read)
		if turn, ok := turns[from]; ok {
			turn.After = read
			turns[from] = turn
		}
		if turn, ok := turns[to]; ok {
			turn.Before = read
			turns[to] = turn
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what events did to %s: %w", t.name, err)
	}
	return turns, nil
}

func orNil[T any](state *string, to **T) error {
	if state == nil {
		return nil
	}
	*to = new(T)
	return json.Unmarshal([]byte(*state), *to)
}
