// Package pgtest gives each test a migrated database of its own on a real server.
package pgtest

import (
	"context"
	"fmt"
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
	name, err := template()
	if err != nil {
		t.Fatal(err)
	}
	target := create(t, " TEMPLATE "+name)
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
	return create(t, "")
}

func create(t testing.TB, options string) string {
	t.Helper()
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if err := execute("CREATE DATABASE " + name + options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := execute("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	target, err := urlOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// urlOf a database of the server.
func urlOf(name string) (string, error) {
	target, err := url.Parse(os.Getenv(URLVariable))
	if err != nil {
		return "", fmt.Errorf("%s is not a URL", URLVariable) // the error would show the password
	}
	target.Path = "/" + name
	return target.String(), nil
}

func connect(ctx context.Context) (*pgx.Conn, error) {
	server := os.Getenv(URLVariable)
	if server == "" {
		return nil, fmt.Errorf("%s is not set: run the tests with `make test`, or one package with `go run ./deploy/local with-engines -- go test ./…`", URLVariable)
	}
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return nil, fmt.Errorf("connect to the test server: %w", err)
	}
	return conn, nil
}

func execute(statement string) error {
	ctx := context.Background()
	conn, err := connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
