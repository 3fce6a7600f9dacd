package readmodel

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/filter"
)

// PageBytes is about how large a page gets, whatever size it asks for: one thing can be
// of a megabyte, and clients of gRPC refuse answers of more than four.
const PageBytes = 2 << 20

// usualPage is how many rows a page has room for from the beginning.
const usualPage = 128

// Query asks for a part of a list.
type Query struct {
	// Filter and Order are of the listed thing's fields.
	Filter filter.Filter
	Order  filter.Order
	// After is the last row of the page before; the zero place: there was none.
	After filter.Place
	// Size of the page.
	Size int
}

// Restrict returns what goes after " AND" in the statement that answers the query,
// and adds its values to the statement's. A place that no list with this order has is
// an Invalid fault about the field page.token.
func (q Query) Restrict(statement *filter.Postgres) (string, error) {
	after, ok := q.Order.After(q.After, statement)
	if !ok {
		return "", fault.Field("page.token", "it is not of this list")
	}
	return fmt.Sprintf("%s AND %s ORDER BY %s LIMIT %d", q.Filter.SQL(statement), after, q.Order.By(), q.Size+1), nil
}

// List returns a page of the view's rows that match, and where it ends; nil: there is
// no next one.
func (t *Table[T]) List(ctx context.Context, v View, q Query, matches ...Match) ([]T, *filter.Place, error) {
	where, args := v.where(matches)
	statement := &filter.Postgres{Args: args}
	restricted, err := q.Restrict(statement)
	if err != nil {
		return nil, nil, err
	}
	var state pgtype.DriverBytes // until the next row
	return CollectPage(ctx, v.Tx, q, Selection{
		SQL:  fmt.Sprintf("SELECT %s, id, state::text FROM %s%s AND %s", q.Order.Columns(), t.name, where, restricted),
		Args: statement.Args, Into: []any{&state},
	}, func() (one T, err error) { return one, json.Unmarshal(state, &one) })
}

// Selection is a statement that selects the columns of a query's order, an id, and
// what is scanned into Into.
type Selection struct {
	SQL  string
	Args []any
	Into []any
}

// CollectPage runs the statement that answers a query; row is called after each scan.
func CollectPage[T any](ctx context.Context, tx pgx.Tx, q Query, s Selection, row func() (T, error)) ([]T, *filter.Place, error) {
	rows, err := tx.Query(ctx, s.SQL, s.Args...)
	if err != nil {
		return nil, nil, fmt.Errorf("list: %w", err)
	}
	found := make([]T, 0, min(q.Size, usualPage))
	var last, end *filter.Place
	var id uuid.UUID
	bytes := 0
	columns, place := q.Order.Scan()
	_, err = pgx.ForEachRow(rows, append(append(columns, &id), s.Into...), func() error {
		if len(found) == q.Size || bytes > PageBytes {
			end = last
			return nil
		}
		bytes += rowBytes(rows)
		at := place(id)
		last = &at
		one, err := row()
		found = append(found, one)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list: %w", err)
	}
	return found, end, nil
}

// rowBytes is how large the row is that was read last.
func rowBytes(rows pgx.Rows) (bytes int) {
	for _, value := range rows.RawValues() {
		bytes += len(value)
	}
	return bytes
}
