package backup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// leftOut are the tables that no backup holds, each with its reason. Any other
// table is in it, also one that a later migration makes.
var leftOut = map[string]string{
	"schema_migrations": "the manifest says the schema's version, and a restore migrates to it",
	"installation":      "which server serves the database; a restored one is served by another",
	"session":           "who was logged in then need not be now",
	"spent_login":       "as session; they live for minutes",
	"compiler":          "which builds ran then",
	"release":           "policies are compiled again, under an epoch that is higher",
	"quota_share":       "shares lapse within seconds",
}

// tables are those of a backup, each after the ones that it refers to.
func tables(ctx context.Context, tx pgx.Tx) ([]Table, error) {
	const query = `SELECT c.relname,
			(SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute a
				WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''),
			ARRAY(SELECT DISTINCT confrelid::regclass::text FROM pg_constraint f
				WHERE f.conrelid = c.oid AND contype = 'f' AND confrelid <> conrelid)
		FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> ALL($1) ORDER BY relname`
	var without []string
	for name := range leftOut {
		without = append(without, name)
	}
	rows, err := tx.Query(ctx, query, without)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	refers := map[string][]string{}
	var left []Table
	var t Table
	var to []string
	_, err = pgx.ForEachRow(rows, []any{&t.Name, &t.Columns, &to}, func() error {
		left = append(left, t)
		refers[t.Name] = to
		t, to = Table{}, nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	return inOrder(left, refers)
}

func inOrder(left []Table, refers map[string][]string) ([]Table, error) {
	var ordered []Table
	for len(left) > 0 {
		next := slices.IndexFunc(left, func(t Table) bool {
			return !slices.ContainsFunc(left, func(other Table) bool { return slices.Contains(refers[t.Name], other.Name) })
		})
		if next < 0 {
			return nil, fmt.Errorf("tables refer to each other in a circle, %s among them", left[0].Name)
		}
		ordered = append(ordered, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return ordered, nil
}

func (t Table) entry() string { return "tables/" + t.Name }

func (t Table) copyOut() string {
	return "COPY (SELECT " + t.columnList() + " FROM " + t.quoted() + ") TO STDOUT"
}

func (t Table) copyIn() string {
	return "COPY " + t.quoted() + " (" + t.columnList() + ") FROM STDIN"
}

func (t Table) quoted() string { return pgx.Identifier{"public", t.Name}.Sanitize() }

func (t Table) columnList() string {
	quoted := make([]string, 0, len(t.Columns))
	for _, c := range t.Columns {
		quoted = append(quoted, pgx.Identifier{c}.Sanitize())
	}
	return strings.Join(quoted, ", ")
}
