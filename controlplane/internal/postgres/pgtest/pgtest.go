// Package pgtest gives each test a migrated database of its own on a real server.
package pgtest

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// URLVariable names the server: a superuser's URL, set by `make test`.
const URLVariable = "WEIR_TEST_POSTGRES_URL"

// Open returns a fresh database, dropped when the test ends.
func Open(t testing.TB) *postgres.DB {
	t.Helper()
	db, _ := OpenURL(t)
	return db
}

// OpenURL is Open with the database's own URL (superuser).
func OpenURL(t testing.TB) (*postgres.DB, string) {
	t.Helper()
	target := Create(t)
	if err := postgres.Migrate(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db, target
}

// Create makes an empty database, dropped when the test ends, and returns its URL.
func Create(t testing.TB) string {
	t.Helper()
	server := os.Getenv(URLVariable)
	if server == "" {
		t.Fatalf("%s is not set: run the tests with `make test`, or one package with `go run ./deploy/local with-engines -- go test ./…`", URLVariable)
	}
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	execute(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })

	target, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is not a URL", URLVariable)
	}
	target.Path = "/" + name
	return target.String()
}

func execute(t testing.TB, server, statement string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("connect to the test server: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
