package ledger

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// upsert writes rows of a table of the organization, $1, all of them in one statement. Most
// calls write a few rows: for those there are statements with a list of values, which take
// Postgres less than half as long as arrays do, one of which it unnests for each column.
type upsert struct {
	columns []string // of Postgres' types, in order
	listed  map[int]string
	arrays  string
}

// sizes are for how many rows there are lists; what is left of one are rows of NULL.
var sizes = []int{1, 2, 4, 8, 16}

// newUpsert takes the statement around its rows, whose first column is never NULL.
func newUpsert(into string, types []string, conflict string) upsert {
	u := upsert{columns: types, listed: map[int]string{}}
	names, arrays := make([]string, len(types)), make([]string, len(types))
	for i, t := range types {
		names[i], arrays[i] = fmt.Sprintf("c%d", i), fmt.Sprintf("$%d::%s[]", i+2, t)
	}
	statement := func(rows string) string {
		return into + " SELECT $1::uuid, k.* FROM " + rows + " AS k (" + strings.Join(names, ", ") + ") WHERE k.c0 IS NOT NULL " + conflict
	}
	u.arrays = statement("unnest(" + strings.Join(arrays, ", ") + ")")
	for _, size := range sizes {
		rows := make([]string, size)
		for i := range rows {
			values := make([]string, len(types))
			for j, t := range types {
				values[j] = fmt.Sprintf("$%d::%s", 2+i*len(types)+j, t)
			}
			rows[i] = "(" + strings.Join(values, ", ") + ")"
		}
		u.listed[size] = statement("(VALUES " + strings.Join(rows, ", ") + ")")
	}
	return u
}

func (u upsert) queue(batch *pgx.Batch, organization uuid.UUID, rows [][]any) {
	if len(rows) == 0 {
		return
	}
	args := []any{organization}
	if at := slices.IndexFunc(sizes, func(size int) bool { return size >= len(rows) }); at >= 0 {
		for _, row := range rows {
			args = append(args, row...)
		}
		args = append(args, make([]any, (sizes[at]-len(rows))*len(u.columns))...)
		batch.Queue(u.listed[sizes[at]], args...)
		return
	}
	for i := range u.columns {
		column := make([]any, len(rows))
		for j, row := range rows {
			column[j] = row[i]
		}
		args = append(args, column)
	}
	batch.Queue(u.arrays, args...)
}
