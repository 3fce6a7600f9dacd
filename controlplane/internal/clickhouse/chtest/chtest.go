// Package chtest gives each test a migrated ClickHouse database of its own, or a
// whole server where the test is about users or outages.
package chtest

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
)

// URLVariable names the server: the URL of its user with every right, set by
// `make test`.
const URLVariable = "WEIR_TEST_CLICKHOUSE_URL"

// Open returns a fresh database on the shared server, dropped when the test ends.
// Its tables can be read; its views can't, as the users file that lets their
// definer in names one database: Start has that.
func Open(t testing.TB) *clickhouse.Conn {
	t.Helper()
	server := variable(t, URLVariable)
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if err := migrated.make(t.Context(), server, name); err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.OpenDatabase(server, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Exec(context.Background(), "DROP DATABASE "+name+" SYNC"); err != nil {
			t.Errorf("drop test database: %v", err)
		}
		if err := conn.Close(); err != nil {
			t.Errorf("close clickhouse: %v", err)
		}
	})
	return conn
}

// URL of the shared server's user with every right.
func URL(t testing.TB) string {
	t.Helper()
	return variable(t, URLVariable)
}

func variable(t testing.TB, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: run the tests with `make test`, or one package with `go run ./deploy/local with-engines -- go test ./…`", name)
	}
	return value
}
