package chtest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
)

// A database that was made like the first is what the migrations make, and they know it.
func TestOpen_like_the_first(t *testing.T) {
	contents := func(conn *clickhouse.Conn) (name, all string) {
		var tables []string
		if err := conn.QueryRow(t.Context(), `SELECT currentDatabase(), groupArray(create_table_query) FROM (
			SELECT create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY name)`).Scan(&name, &tables); err != nil {
			t.Fatal(err)
		}
		var version int64
		var dirty uint8
		if err := conn.QueryRow(t.Context(), "SELECT version, dirty FROM schema_migrations ORDER BY sequence DESC LIMIT 1").Scan(&version, &dirty); err != nil || dirty != 0 {
			t.Fatal(version, dirty, err)
		}
		return name, strings.ReplaceAll(strings.Join(tables, "\n"), name, "weir")
	}
	_, first := contents(chtest.Open(t))
	name, second := contents(chtest.Open(t))
	if diff := cmp.Diff(strings.Split(first, "\n"), strings.Split(second, "\n")); diff != "" {
		t.Error(diff)
	}
	if tables := strings.Count(second, "CREATE "); tables < 16 || !strings.Contains(second, "PROJECTION labels_day") || !strings.Contains(second, "lease_not_over") {
		t.Errorf("%d tables and views, or without what they need:\n%s", tables, second)
	}
	if err := clickhouse.Migrate(t.Context(), chtest.URL(t), name, ""); err != nil {
		t.Errorf("to the migrations it is another: %v", err)
	}
}
