package engine

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/weirhq/weir/deploy/local/file"
)

func startClickHouse(t *testing.T, dir string, ports []int) (Running, ClickHouse) {
	t.Helper()
	running, ch, err := StartClickHouse(soon(t), ClickHouseConfig{Engines: fetched(t), Dir: dir, HTTPPort: ports[0], TCPPort: ports[1]})
	must(t, err)
	t.Cleanup(running.Kill)
	return running, ch
}

func dialClickHouse(t *testing.T, dsn string) driver.Conn {
	t.Helper()
	options, err := clickhouse.ParseDSN(dsn)
	must(t, err)
	conn, err := clickhouse.Open(options)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestClickHouse(t *testing.T) {
	dir, ports := t.TempDir(), freePorts(t, 2)
	running, ch := startClickHouse(t, dir, ports)
	admin := dialClickHouse(t, ch.AdminURL)
	must(t, admin.Exec(t.Context(), "CREATE TABLE kept (n UInt8) ENGINE = MergeTree ORDER BY n"))
	must(t, admin.Exec(t.Context(), "INSERT INTO kept SETTINGS async_insert = 0 VALUES (1)"))

	t.Run("gives_the_user_without_password_no_rights", func(t *testing.T) {
		anyone := dialClickHouse(t, fmt.Sprintf("clickhouse://default@127.0.0.1:%d/default", ports[1]))
		if err := anyone.Exec(t.Context(), "SELECT * FROM kept"); err == nil || !strings.Contains(err.Error(), "Not enough privileges") {
			t.Fatalf("want a refusal, got %v", err)
		}
	})
	t.Run("outlives_clients_that_reset_connections", func(t *testing.T) {
		for range 20 {
			for _, port := range ports {
				conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
				must(t, err)
				must(t, conn.(*net.TCPConn).SetLinger(0))
				must(t, conn.Close())
			}
		}
		var one uint8
		must(t, admin.QueryRow(t.Context(), "SELECT 1").Scan(&one))
	})
	t.Run("keeps_data_over_kill_9", func(t *testing.T) {
		running.Kill()
		running, _ = startClickHouse(t, dir, ports)
		var n uint64
		must(t, admin.QueryRow(t.Context(), "SELECT count() FROM kept").Scan(&n))
		if n != 1 {
			t.Fatalf("want 1 row, got %d", n)
		}
	})
	t.Run("does_not_open_without_a_part_that_can't_be_read", func(t *testing.T) {
		running.Kill()
		columns, err := filepath.Glob(filepath.Join(dir, "data", "store", "*", "*", "all_1_1_0", "columns.txt"))
		if err != nil || len(columns) != 1 {
			t.Fatalf("want the one part of the table, got %v, %v", columns, err)
		}
		must(t, os.Remove(columns[0]))
		for range 2 { // the first try must not set the part aside for the second
			_, _, err = StartClickHouse(soon(t), ClickHouseConfig{Engines: fetched(t), Dir: dir, HTTPPort: ports[0], TCPPort: ports[1]})
			if err == nil || !strings.Contains(err.Error(), "broken parts") {
				t.Fatalf("want an error about a broken part, got %v", err)
			}
		}
	})
	t.Run("says_why_a_corrupt_folder_does_not_open", func(t *testing.T) {
		dir := t.TempDir()
		must(t, file.Replace(filepath.Join(dir, "data"), "not a folder", 0o600))
		free := freePorts(t, 2)
		_, _, err := StartClickHouse(soon(t), ClickHouseConfig{Engines: fetched(t), Dir: dir, HTTPPort: free[0], TCPPort: free[1]})
		if err == nil || !strings.Contains(err.Error(), "data") {
			t.Fatalf("want an error that names the folder, got %v", err)
		}
	})
}

// twoTenants makes one table whose single granule holds rows of two organizations, and a public view of it.
func twoTenants(t *testing.T, admin driver.Conn) (ours, theirs uuid.UUID) {
	t.Helper()
	ours, theirs = uuid.New(), uuid.New()
	for _, statement := range []string{
		"CREATE DATABASE weir",
		"CREATE TABLE weir.usage_event (organization_id UUID, model String, cost UInt64) ENGINE = MergeTree ORDER BY cost",
		fmt.Sprintf("INSERT INTO weir.usage_event SETTINGS async_insert = 0 VALUES ('%s', 'ours', 1), ('%s', 'canary', 1000)", ours, theirs),
		"INSERT INTO weir.usage_event SETTINGS async_insert = 0 VALUES ('00000000-0000-0000-0000-000000000000', 'nobody', 5)",
		"CREATE VIEW weir.requests DEFINER = report_definer SQL SECURITY DEFINER AS SELECT organization_id, model, cost FROM weir.usage_event",
	} {
		must(t, admin.Exec(t.Context(), statement))
	}
	return ours, theirs
}

func as(ctx context.Context, tenant string) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithQueryID(tenant+"."+uuid.NewString()), clickhouse.WithSettings(clickhouse.Settings{
		"readonly": 1, "use_query_cache": 0, "use_query_condition_cache": 0,
		"max_result_rows": 100, "result_overflow_mode": "break", "max_execution_time": 5,
	}))
}

func TestClickHouseReports(t *testing.T) {
	_, ch := startClickHouse(t, t.TempDir(), freePorts(t, 2))
	ours, _ := twoTenants(t, dialClickHouse(t, ch.AdminURL))
	for name, dsn := range map[string]string{"native": ch.ReportURL, "http": ch.ReportHTTPURL} {
		report := dialClickHouse(t, dsn)
		t.Run(name+"_shows_the_tenants_rows_only", func(t *testing.T) {
			for tenant, want := range map[string]uint64{ours.String(): 1, "": 0, "no id": 0, uuid.Nil.String(): 0} {
				var got uint64
				must(t, report.QueryRow(as(t.Context(), tenant), "SELECT count() FROM requests").Scan(&got))
				if got != want {
					t.Errorf("tenant %q: want %d rows, got %d", tenant, want, got)
				}
			}
		})
		t.Run(name+"_refuses_what_would_leak", func(t *testing.T) {
			for _, query := range []string{
				"SELECT * FROM usage_event",
				"SELECT * FROM mergeTreeIndex('weir', 'usage_event')",
				"SELECT * FROM requests SETTINGS log_comment = 'x'",
				"SET log_comment = 'x'",
				"SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')",
				"SELECT * FROM file('users.xml', LineAsString)",
				"INSERT INTO requests VALUES (generateUUIDv4(), 'x', 1)",
			} {
				if err := report.Exec(as(t.Context(), ours.String()), query); err == nil {
					t.Errorf("%s: went through", query)
				}
			}
		})
		t.Run(name+"_evaluates_nothing_on_other_tenants_rows", func(t *testing.T) {
			for _, query := range []string{
				"SELECT count() FROM requests WHERE if(cost > 100, toUInt8(model), 1) = 1",
				"SELECT count() FROM requests WHERE throwIf(cost > 100) = 0",
				"SELECT count() FROM requests WHERE throwIf(model = 'canary') = 0",
			} {
				if err := report.Exec(as(t.Context(), ours.String()), query); err != nil {
					t.Errorf("%s: %v", query, err)
				}
			}
		})
	}
}
