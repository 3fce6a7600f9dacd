package postgres_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// Every table that belongs to organizations is under row-level security, for its
// owner too, and has the policy that leaves one organization's rows.
func TestEveryTableIsIsolated(t *testing.T) {
	_, url := pgtest.OpenURL(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,
			count(p.*) FILTER (WHERE p.roles = '{weir_app}' AND p.cmd = 'ALL' AND p.permissive = 'PERMISSIVE'
				AND p.qual = '(organization_id = current_organization())' AND p.with_check = p.qual),
			count(p.*) FILTER (WHERE NOT p.roles <@ '{weir_app,weir_system}')
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
		LEFT JOIN pg_policies p ON p.tablename = c.relname AND p.schemaname = 'public'
		WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
		GROUP BY c.oid ORDER BY c.relname`)
	if err != nil {
		t.Fatal(err)
	}
	var table string
	var forced bool
	var ours, foreign, tables int
	_, err = pgx.ForEachRow(rows, []any{&table, &forced, &ours, &foreign}, func() error {
		tables++
		if !forced || ours != 1 || foreign != 0 {
			t.Errorf("%s: enabled and forced: %t, policies of weir_app: %d, of other roles: %d", table, forced, ours, foreign)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if tables < 14 {
		t.Errorf("looked at %d tables only", tables)
	}
}

func TestOneOrganizationIsSeen(t *testing.T) {
	db := pgtest.Open(t)
	mine, other := uuid.New(), uuid.New()
	insert := func(in, of uuid.UUID) error {
		return db.InOrganization(t.Context(), in, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO organization_head (organization_id, head, recorded_at) VALUES ($1, 1, now())`, of)
			return err
		})
	}
	for _, id := range []uuid.UUID{mine, other} {
		if err := insert(id, id); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("reads_its_own", func(t *testing.T) {
		err := db.InOrganization(t.Context(), mine, func(tx pgx.Tx) error {
			rows, err := tx.Query(t.Context(), `SELECT organization_id FROM organization_head`)
			if err != nil {
				return err
			}
			seen, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
			if len(seen) != 1 || seen[0] != mine {
				return fmt.Errorf("saw %v", seen)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("writes_its_own", func(t *testing.T) {
		if err := insert(mine, uuid.New()); err == nil {
			t.Error("wrote a row of another organization")
		}
		err := db.InOrganization(t.Context(), mine, func(tx pgx.Tx) error {
			tag, err := tx.Exec(t.Context(), `UPDATE organization_head SET head = 9 WHERE organization_id = $1`, other)
			if tag.RowsAffected() != 0 {
				return fmt.Errorf("changed %d rows of another organization", tag.RowsAffected())
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("a_snapshot_writes_nothing", func(t *testing.T) {
		err := db.Snapshot(t.Context(), mine, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE organization_head SET head = 9`)
			return err
		})
		if err == nil {
			t.Error("wrote in a snapshot")
		}
	})
}
