package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// A role without any power of its own migrates its database and serves from it.
func TestLogin(t *testing.T) {
	address := pgtest.Create(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	run := func(statement string) {
		t.Helper()
		if _, err := conn.Exec(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	role := "login_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	run(`CREATE ROLE ` + role + ` LOGIN PASSWORD 'login'`)
	t.Cleanup(func() {
		run(`REASSIGN OWNED BY ` + role + ` TO CURRENT_USER`)
		run(`DROP OWNED BY ` + role)
		run(`DROP ROLE ` + role)
	})
	run(`ALTER SCHEMA public OWNER TO ` + role)
	for _, ours := range []string{"weir_app", "weir_system"} {
		run(`DO $$ BEGIN CREATE ROLE ` + ours + ` NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$`)
		run(`GRANT ` + ours + ` TO ` + role)
	}
	of, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	of.User = url.UserPassword(role, "login")
	if err := postgres.Migrate(t.Context(), of.String()); err != nil {
		t.Fatal(err)
	}
	open := func(address string) *postgres.DB {
		t.Helper()
		db, err := postgres.Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.Close)
		return db
	}
	t.Run("serves", func(t *testing.T) {
		db := open(of.String())
		if err := db.CheckLogin(t.Context()); err != nil {
			t.Error(err)
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("superusers_are_refused", func(t *testing.T) {
		if err := open(address).CheckLogin(t.Context()); !errors.Is(err, postgres.ErrPrivileged) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("bypassrls_is_refused", func(t *testing.T) {
		run(`ALTER ROLE ` + role + ` BYPASSRLS`)
		if err := open(of.String()).CheckLogin(t.Context()); !errors.Is(err, postgres.ErrPrivileged) {
			t.Errorf("got %v", err)
		}
	})
}
