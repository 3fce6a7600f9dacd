package ledger

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// upsert writes rows of a table of the organization, $1. Most calls write a few rows: those
// are a list of values, which takes Postgres less than half as long as arrays do, one of which
// it unnests for each column.
type upsert struct {
	into     string
	types    []string // of Postgres, in the order of columns; the first is never NULL
	conflict string
}

// sizes are for how many rows of each table there are lists; what is left of one are rows of NULL.
var sizes = []int{1, 2, 4, 8, 16}

func (u upsert) statement(rows string) string {
	names := make([]string, len(u.types))
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
	}
	return u.into + " SELECT $1::uuid, k.* FROM " + rows + " AS k (" + strings.Join(names, ", ") + ") WHERE k.c0 IS NOT NULL " + u.conflict
}

// listed takes parameters from the one with this number on.
func (u upsert) listed(size, first int) string {
	rows := make([]string, size)
	for i := range rows {
		values := make([]string, len(u.types))
		for j, t := range u.types {
			values[j] = fmt.Sprintf("$%d::%s", first+i*len(u.types)+j, t)
		}
		rows[i] = "(" + strings.Join(values, ", ") + ")"
	}
	return u.statement("(VALUES " + strings.Join(rows, ", ") + ")")
}

func (u upsert) arrays() string {
	arrays := make([]string, len(u.types))
	for i, t := range u.types {
		arrays[i] = fmt.Sprintf("$%d::%s[]", i+2, t)
	}
	return u.statement("unnest(" + strings.Join(arrays, ", ") + ")")
}

// saved are the tables that are written together, with the stamp, $2, of what they have then.
var saved = [...]upsert{saveAccounts, saveLeases, saveAgents}

const saveStamp = `INSERT INTO quota_ledger (organization_id, stamp) VALUES ($1, $2)
	ON CONFLICT (organization_id) DO UPDATE SET stamp = excluded.stamp`

// savedRows are rows of each, as lists of their columns.
type savedRows [len(saved)][][]any

// which tables have rows, a bit each.
func (r savedRows) which() (set int) {
	for i, rows := range r {
		if len(rows) > 0 {
			set |= 1 << i
		}
	}
	return set
}

// savings are the statements for each set of tables and each of the sizes: one for all of
// them, since starting each is most of what it costs.
var savings = func() (all [1 << len(saved)][]string) {
	for set := range all {
		for _, size := range sizes {
			var parts []string
			next := 3
			for i, u := range saved {
				if set&(1<<i) != 0 {
					parts = append(parts, fmt.Sprintf("t%d AS (%s)", i, u.listed(size, next)))
					next += size * len(u.types)
				}
			}
			statement := saveStamp
			if len(parts) > 0 {
				statement = "WITH " + strings.Join(parts, ", ") + " " + saveStamp
			}
			all[set] = append(all[set], statement)
		}
	}
	return all
}()

// queue has all rows written and stamped, where there are any.
func (r savedRows) queue(batch *pgx.Batch, organization, stamp uuid.UUID) {
	set, most := r.which(), 0
	for _, rows := range r {
		most = max(most, len(rows))
	}
	at := slices.IndexFunc(sizes, func(size int) bool { return size >= most })
	if at < 0 {
		r.queueMany(batch, organization, stamp)
		return
	}
	args := []any{organization, stamp}
	for i, rows := range r {
		if len(rows) == 0 {
			continue
		}
		for _, row := range rows {
			args = append(args, row...)
		}
		args = append(args, make([]any, (sizes[at]-len(rows))*len(saved[i].types))...)
	}
	batch.Queue(savings[set][at], args...)
}

// queueMany is queue for more rows than there are lists for.
func (r savedRows) queueMany(batch *pgx.Batch, organization, stamp uuid.UUID) {
	for i, rows := range r {
		if len(rows) == 0 {
			continue
		}
		args := []any{organization}
		for j := range saved[i].types {
			column := make([]any, len(rows))
			for k, row := range rows {
				column[k] = row[j]
			}
			args = append(args, column)
		}
		batch.Queue(saved[i].arrays(), args...)
	}
	batch.Queue(saveStamp, organization, stamp)
}
