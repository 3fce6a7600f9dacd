package pgtest_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// contents has all that migrations make in a database.
const contents = `
	SELECT 'relation ' || relname || ' ' || relkind::text || relrowsecurity || relforcerowsecurity || coalesce(relacl::text, '')
		FROM pg_class WHERE relnamespace = 'public'::regnamespace
	UNION ALL SELECT 'column ' || attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || attnotnull || coalesce(attacl::text, '')
		|| coalesce((SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum), '')
		FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
	UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
	UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
	UNION ALL SELECT 'policy ' || tablename || ' ' || policyname || roles::text || cmd || coalesce(qual, '') || coalesce(with_check, '') FROM pg_policies
	UNION ALL SELECT 'function ' || pg_get_functiondef(oid) || coalesce(proacl::text, '') FROM pg_proc WHERE pronamespace = 'public'::regnamespace
	UNION ALL SELECT 'schema ' || nspname || coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname = 'public'
	UNION ALL SELECT 'version ' || version || ' ' || dirty FROM schema_migrations
	ORDER BY 1`

// What tests get is what the migrations make, and each has its own.
func TestOpen_is_migrated(t *testing.T) {
	of := func(url string) []string {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		rows, err := conn.Query(t.Context(), contents)
		if err != nil {
			t.Fatal(err)
		}
		all, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "CREATE TABLE mark ()"); err != nil {
			t.Fatal(err)
		}
		return all
	}
	migrated := pgtest.Create(t)
	if err := postgres.Migrate(t.Context(), migrated); err != nil {
		t.Fatal(err)
	}
	want := of(migrated)
	for range 2 {
		_, url := pgtest.OpenURL(t)
		if diff := cmp.Diff(want, of(url)); diff != "" {
			t.Error(diff)
		}
	}
	if len(want) < 300 {
		t.Errorf("the migrations made %d things", len(want))
	}
}
