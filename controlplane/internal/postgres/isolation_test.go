package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// sample makes a value of a type; defaults and NULLs are left to the table.
var sample = map[string]string{
	"uuid": "gen_random_uuid()", "uuid[]": "'{}'", "bigint": "1", "integer": "1", "text": "'x'", "json": "'{}'", "jsonb": "'{}'", "bytea": "'x'",
	"timestamp with time zone": "now()", "boolean": "false", "text[]": "'{}'", "xid8": "'1'", "int8multirange": "'{}'", "bigint[]": "'{}'",
}

// tenantTable is a table as the catalogue has it.
type tenantTable struct {
	name            string
	columns, values string
}

// Row-level security alone keeps organizations apart: here weir_app may do
// anything that grants can allow, to every table that there is.
func TestEveryTable_isolates(t *testing.T) {
	db, address := pgtest.OpenURL(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	loosen(t, conn)
	tables := tenantTables(t, conn)
	if len(tables) < 20 {
		t.Fatalf("found %d tables only", len(tables))
	}
	mine, other := uuid.New(), uuid.New()
	for _, table := range tables {
		t.Run(table.name, func(t *testing.T) {
			if _, err := conn.Exec(t.Context(), table.insert(mine)); err != nil {
				t.Fatalf("make a row: %v", err)
			}
			as := func(organization uuid.UUID, statement string) (n int64, err error) {
				err = db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error {
					tag, err := tx.Exec(t.Context(), statement)
					n = tag.RowsAffected()
					return err
				})
				return n, err
			}
			expect := func(organization uuid.UUID, want int64, statement string) {
				t.Helper()
				if n, err := as(organization, statement); n != want || err != nil {
					t.Errorf("%s: %d rows, want %d, %v", statement, n, want, err)
				}
			}
			refuse := func(organization uuid.UUID, statement string) {
				t.Helper()
				if n, err := as(organization, statement); err == nil || !strings.Contains(err.Error(), "row-level security") {
					t.Errorf("%s: %d rows, %v", statement, n, err)
				}
			}
			expect(mine, 1, "SELECT FROM "+table.name)
			expect(other, 0, "SELECT FROM "+table.name)
			expect(other, 0, "UPDATE "+table.name+" SET organization_id = organization_id")
			expect(other, 0, fmt.Sprintf("UPDATE %s SET organization_id = '%s'", table.name, other))
			expect(other, 0, "DELETE FROM "+table.name)
			refuse(other, table.insert(mine))
			refuse(mine, fmt.Sprintf("UPDATE %s SET organization_id = '%s'", table.name, other))
			nobody(t, address, table)
			err := db.SystemRead(t.Context(), func(tx pgx.Tx) error {
				tag, err := tx.Exec(t.Context(), "SELECT FROM "+table.name)
				if tag.RowsAffected() != 1 {
					t.Errorf("weir_system sees %d rows, want 1", tag.RowsAffected())
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// nobody has entered no organization.
func nobody(t *testing.T, address string, table tenantTable) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address+"&role=weir_app")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, set := range []string{"SELECT", "SET weir.organization_id = ''"} {
		if _, err := conn.Exec(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{"SELECT FROM " + table.name, "DELETE FROM " + table.name} {
			tag, err := conn.Exec(t.Context(), statement)
			if err != nil || tag.RowsAffected() != 0 {
				t.Errorf("without an organization, %s: %d rows, %v", statement, tag.RowsAffected(), err)
			}
		}
	}
}

// loosen takes away all but row-level security: grants, checks and references.
func loosen(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	const constraints = `DO $$ DECLARE one record; BEGIN
		FOR one IN SELECT conrelid::regclass AS table, conname FROM pg_constraint
			WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace LOOP
			EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.table, one.conname);
		END LOOP; END $$`
	for _, statement := range []string{constraints, `GRANT ALL ON ALL TABLES IN SCHEMA public TO weir_app`} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

func tenantTables(t *testing.T, conn *pgx.Conn) []tenantTable {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT c.relname, a.attname, format_type(a.atttypid, NULL)
		FROM pg_class c
		JOIN pg_attribute o ON o.attrelid = c.oid AND o.attname = 'organization_id'
		LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND a.attnum <> o.attnum AND a.attnotnull AND NOT a.atthasdef
		WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
		ORDER BY c.relname, a.attnum`)
	if err != nil {
		t.Fatal(err)
	}
	var all []tenantTable
	var table string
	var column, kind *string
	_, err = pgx.ForEachRow(rows, []any{&table, &column, &kind}, func() error {
		if len(all) == 0 || all[len(all)-1].name != table {
			all = append(all, tenantTable{name: table, columns: "organization_id", values: "'%s'"})
		}
		if column == nil {
			return nil
		}
		value, ok := sample[*kind]
		if !ok {
			return fmt.Errorf("%s.%s: no sample of %s", table, *column, *kind)
		}
		last := &all[len(all)-1]
		last.columns, last.values = last.columns+", "+*column, last.values+", "+value
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (table tenantTable) insert(organization uuid.UUID) string {
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES ("+table.values+")", table.name, table.columns, organization)
}
