package ledger

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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
var sizes = []int{1, 2, 4, 8, mostListed}

const mostListed = 16

func (u upsert) statement(rows, where string) string {
	names := make([]string, len(u.types))
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
	}
	return u.into + " SELECT $1::uuid, k.* FROM " + rows + " AS k (" + strings.Join(names, ", ") + ") WHERE k.c0 IS NOT NULL " + where + " " + u.conflict
}

// listed takes parameters from the one with this number on.
func (u upsert) listed(size, first int, where string) string {
	rows := make([]string, size)
	for i := range rows {
		values := make([]string, len(u.types))
		for j, t := range u.types {
			values[j] = fmt.Sprintf("$%d::%s", first+i*len(u.types)+j, t)
		}
		rows[i] = "(" + strings.Join(values, ", ") + ")"
	}
	return u.statement("(VALUES "+strings.Join(rows, ", ")+")", where)
}

func (u upsert) arrays() string {
	arrays := make([]string, len(u.types))
	for i, t := range u.types {
		arrays[i] = fmt.Sprintf("$%d::%s[]", i+2, t)
	}
	return u.statement("unnest("+strings.Join(arrays, ", ")+")", "")
}

// saved are the tables that are written together, with the stamp, $2, of what they have then.
var saved = [...]upsert{saveAccounts, saveLeases, saveAgents}

const saveStamp = `INSERT INTO quota_ledger (organization_id, stamp) VALUES ($1, $2) ON CONFLICT (organization_id) DO UPDATE SET stamp = excluded.stamp`

// ifPresumed is the condition on quota_ledger that head, epoch and stamp are these parameters.
func ifPresumed(head, epoch, stamp int) string {
	return fmt.Sprintf(` WHERE organization_id = $1 AND stamp = $%d
		AND coalesce((SELECT head FROM organization_head WHERE organization_id = $1), 0) = $%d
		AND coalesce((SELECT restored_epoch FROM policy_epoch WHERE organization_id = $1), 0) = $%d`, stamp, head, epoch)
}

var asPresumed = "SELECT EXISTS (SELECT FROM quota_ledger" + ifPresumed(2, 3, 4) + ")"

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

func (r savedRows) most() (n int) {
	for _, rows := range r {
		n = max(n, len(rows))
	}
	return n
}

// savings are the statements for each set of tables and each of the sizes: one for all of
// them, since starting each is most of what it costs. savingsIf write only where it is as was
// presumed, $3 to $5.
var savings, savingsIf = statements(3, false), statements(6, true)

func statements(first int, onlyIf bool) (all [1 << len(saved)][]string) {
	with, last, where := []string(nil), saveStamp, ""
	if onlyIf {
		with = []string{"stamped AS (UPDATE quota_ledger SET stamp = $2" + ifPresumed(3, 4, 5) + " RETURNING stamp)"}
		last, where = "SELECT FROM stamped", "AND EXISTS (SELECT FROM stamped)"
	}
	for set := 1; set < len(all); set++ {
		for _, size := range sizes {
			parts, next := slices.Clone(with), first
			for i, u := range saved {
				if set&(1<<i) != 0 {
					parts = append(parts, fmt.Sprintf("t%d AS (%s)", i, u.listed(size, next, where)))
					next += size * len(u.types)
				}
			}
			all[set] = append(all[set], "WITH "+strings.Join(parts, ", ")+" "+last)
		}
	}
	return all
}

// queue has all rows written and stamped, where there are any.
func (r savedRows) queue(batch *pgx.Batch, organization, stamp uuid.UUID) {
	if r.most() > mostListed {
		r.queueMany(batch, organization, stamp)
		return
	}
	size, args := r.listed([]any{organization, stamp})
	batch.Queue(savings[r.which()][size], args...)
}

// queueIf is queue where all is as presumed, and tells whether it was. There are rows, and no
// more than mostListed of a table.
func (r savedRows) queueIf(batch *pgx.Batch, organization, stamp uuid.UUID, p presumption, was *bool) {
	size, args := r.listed([]any{organization, stamp, p.head, p.epoch, p.stamp})
	batch.Queue(savingsIf[r.which()][size], args...).Exec(func(tag pgconn.CommandTag) error {
		*was = tag.RowsAffected() == 1
		return nil
	})
}

// listed adds the rows to a statement's arguments, and tells by its index which size it has.
func (r savedRows) listed(args []any) (int, []any) {
	at := slices.IndexFunc(sizes, func(size int) bool { return size >= r.most() })
	for i, rows := range r {
		if len(rows) == 0 {
			continue
		}
		for _, row := range rows {
			args = append(args, row...)
		}
		args = append(args, make([]any, (sizes[at]-len(rows))*len(saved[i].types))...)
	}
	return at, args
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
