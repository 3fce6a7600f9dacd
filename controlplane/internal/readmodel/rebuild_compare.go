package readmodel

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/v1"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Difference is a row that the read models have and a refold does not make alike.
type Difference struct {
	Table     string
	ID        uuid.UUID
	ValidFrom int64
	// Fields are those that differ; empty where one of the two rows is not there.
	Fields []string
	// Stored and Refolded tell whether there is such a row.
	Stored, Refolded bool
}

// String says it in words, without values.
func (d Difference) String() string {
	where := fmt.Sprintf("%s %s, row of version %d", d.Table, d.ID, d.ValidFrom)
	switch {
	case !d.Stored:
		return where + ": is missing"
	case !d.Refolded:
		return where + ": the log does not have it"
	default:
		return where + ": differs in " + strings.Join(d.Fields, ", ")
	}
}

// noteDiffering fills a temporary table with the rows of a read model and its twin
// that are not alike. JSON has no equality; the states are compared as texts.
func noteDiffering(ctx context.Context, v View, p projection) error {
	values := strings.Join(p.columnNames()[3:], ", ")
	values = strings.Replace(values, "state", "state::text AS state", 1)
	of := func(side string) string { return side + "." + strings.Join(p.columnNames()[3:], ", "+side+".") }
	note := fmt.Sprintf(`CREATE TEMPORARY TABLE differing_%[1]s ON COMMIT DROP AS
		SELECT id, valid_from, a.there IS NOT NULL AS stored, b.there IS NOT NULL AS refolded
		FROM (SELECT id, valid_from, true AS there, %[2]s FROM %[1]s WHERE organization_id = $1) a
		FULL JOIN (SELECT id, valid_from, true AS there, %[2]s FROM refolded_%[1]s) b USING (id, valid_from)
		WHERE a.there IS NULL OR b.there IS NULL OR (%[3]s) IS DISTINCT FROM (%[4]s)`, p.tableName(), values, of("a"), of("b"))
	_, err := v.Tx.Exec(ctx, note, v.Organization)
	return err
}

// compare returns the first differences and how many there are, which replaceRows
// takes from the same temporary table. A state that an older release wrote in other
// words is none.
func compare(ctx context.Context, v View, p projection) ([]Difference, int, error) {
	if err := noteDiffering(ctx, v, p); err != nil {
		return nil, 0, err
	}
	// What both have is written out, to be told apart by fields.
	query := fmt.Sprintf(`SELECT id, valid_from, stored, refolded, coalesce(row_to_json(s)::text, ''), coalesce(row_to_json(r)::text, ''),
			coalesce(s.state::text, '')
		FROM differing_%[1]s
		LEFT JOIN (SELECT t.*, true AS stored, true AS refolded FROM %[1]s t WHERE organization_id = $1) s USING (id, valid_from, stored, refolded)
		LEFT JOIN (SELECT t.*, true AS stored, true AS refolded FROM refolded_%[1]s t) r USING (id, valid_from, stored, refolded)
		ORDER BY valid_from, id`, p.tableName())
	rows, err := v.Tx.Query(ctx, query, v.Organization)
	if err != nil {
		return nil, 0, err
	}
	var found []Difference
	count := 0
	d := Difference{Table: p.tableName()}
	var stored, refolded, state string
	_, err = pgx.ForEachRow(rows, []any{&d.ID, &d.ValidFrom, &d.Stored, &d.Refolded, &stored, &refolded, &state}, func() (err error) {
		d.Fields = nil
		if d.Stored && d.Refolded {
			if d.Fields, err = fieldsApart(stored, refolded, p.respell(state)); err != nil || len(d.Fields) == 0 {
				return err
			}
		}
		if count++; count <= shownDifferences {
			found = append(found, d)
		}
		return nil
	})
	return found, count, err
}

// fieldsApart names the columns, and the fields of the state, that differ. state is
// the stored one in this build's words; nil: it has none for it.
func fieldsApart(stored, refolded string, state []byte) ([]string, error) {
	var a, b map[string]any
	if err := json.Unmarshal([]byte(stored), &a); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(refolded), &b); err != nil {
		return nil, err
	}
	if state != nil {
		var respelled any
		if err := json.Unmarshal(state, &respelled); err != nil {
			return nil, err
		}
		a["state"] = respelled
	}
	fields := keysApart("", a, b)
	stateA, okA := a["state"].(map[string]any)
	stateB, okB := b["state"].(map[string]any)
	if i := slices.Index(fields, "state"); i >= 0 && okA && okB {
		fields = append(slices.Delete(fields, i, i+1), keysApart("state.", stateA, stateB)...)
	}
	return fields, nil
}

func keysApart(prefix string, a, b map[string]any) []string {
	var apart []string
	for key, value := range a {
		if other, ok := b[key]; !ok || !reflect.DeepEqual(value, other) {
			apart = append(apart, prefix+key)
		}
	}
	for key := range b {
		if _, ok := a[key]; !ok {
			apart = append(apart, prefix+key)
		}
	}
	slices.Sort(apart)
	return apart
}

// replaceRows takes all wrong rows away before it puts right ones in: names that
// are free again must be.
func replaceRows(ctx context.Context, v View, table string) error {
	steps := []string{
		`DELETE FROM %[1]s t USING differing_%[1]s d WHERE t.organization_id = $1 AND t.id = d.id AND t.valid_from = d.valid_from`,
		`INSERT INTO %[1]s SELECT r.* FROM refolded_%[1]s r JOIN differing_%[1]s d USING (id, valid_from) WHERE r.organization_id = $1
			ORDER BY r.id, r.valid_from`,
	}
	for _, step := range steps { // compare noted which rows; in the order of ids two indexes grow at one end
		if _, err := v.Tx.Exec(ctx, fmt.Sprintf(step, table), v.Organization); err != nil {
			return err
		}
	}
	return nil
}
