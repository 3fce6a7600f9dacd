package clickhouse_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/migrations"
)

func TestMigrate(t *testing.T) {
	server := chtest.Start(t)
	report := server.Report(t)

	t.Run("every_view_answers_the_report_user", func(t *testing.T) {
		for _, view := range []string{
			"requests", "records", "attempts", "spend_daily", "spend_by_model", "spend_by_label",
			"latency_hourly", "errors_hourly", "cache_savings", "completeness", "arrivals",
		} {
			var rows uint64
			if err := report.QueryRow(t.Context(), "SELECT count() FROM "+view).Scan(&rows); err != nil || rows != 0 {
				t.Errorf("%s: %d rows, %v", view, rows, err)
			}
		}
	})

	t.Run("again_changes_nothing", func(t *testing.T) {
		if err := clickhouse.Migrate(t.Context(), server.AdminURL, chtest.Database, ""); err != nil {
			t.Fatal(err)
		}
	})

	// No cluster is at hand: what ClickHouse itself can say of the text is that it parses.
	t.Run("parses_on_a_cluster", func(t *testing.T) {
		files, err := fs.Glob(migrations.ClickHouse, "clickhouse/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		admin := server.Admin(t)
		for _, file := range files {
			text, err := migrations.ClickHouse.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sql, err := clickhouse.Render("weir", string(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, statement := range strings.Split(strings.TrimRight(sql, ";\n"), ";") {
				if err := admin.Exec(t.Context(), "EXPLAIN AST "+statement); err != nil {
					t.Errorf("%s: %.60q: %v", file, strings.TrimSpace(statement), err)
				}
			}
		}
	})

	t.Run("attempts_are_part_of_the_row", func(t *testing.T) {
		var tables []string
		err := server.Admin(t).QueryRow(t.Context(),
			"SELECT groupArray(name) FROM (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name)").Scan(&tables)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"agent_tail", "schema_migrations", "usage_correction", "usage_event", "usage_range"}, tables); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOpen_shows_no_password(t *testing.T) {
	_, err := clickhouse.Open("clickhouse://admin:se%cret@127.0.0.1")
	if err == nil || err.Error() != "clickhouse URL: want clickhouse://user:password@host:port/database" {
		t.Fatalf("error %v", err)
	}
}
