package clickhouse_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/clickhouse"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/migrations"
)

// A process that died in any of the files leaves nothing that stops the next one, nor does
// a number before a file, to which earlier builds set the version then.
func TestMigrate_goes_on_where_a_process_died(t *testing.T) {
	conn := chtest.Open(t)
	var name string
	if err := conn.QueryRow(t.Context(), "SELECT currentDatabase()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	set := func(version uint, dirty uint8) {
		t.Helper()
		err := conn.Exec(t.Context(), "INSERT INTO schema_migrations SELECT ?, ?, max(sequence) + 1 FROM schema_migrations", int64(version), dirty)
		if err != nil {
			t.Fatal(err)
		}
	}
	all := versions(t)
	migrated := func(what string, from uint) {
		t.Helper()
		if err := clickhouse.Migrate(t.Context(), chtest.URL(t), name, ""); err != nil {
			t.Errorf("%s %d: %v", what, from, err)
			return
		}
		var version int64
		var dirty uint8
		err := conn.QueryRow(t.Context(), "SELECT version, dirty FROM schema_migrations ORDER BY sequence DESC LIMIT 1").Scan(&version, &dirty)
		if last := all[len(all)-1]; err != nil || version != int64(last) || dirty != 0 {
			t.Errorf("%s %d: version %d, dirty %d, %v; want %d", what, from, version, dirty, err, last)
		}
	}
	for i, version := range all {
		if i > 0 && all[i-1] == version-1 {
			continue // each run takes seconds: those after a gap, and the first
		}
		set(version, 1)
		migrated("dirty", version)
		if i > len(all)-4 {
			set(version-1, 0)
			migrated("clean", version-1)
		}
	}
	for _, dirty := range []uint8{0, 1} {
		set(all[len(all)-1]+1, dirty)
		err := clickhouse.Migrate(t.Context(), chtest.URL(t), name, "")
		if err == nil || !strings.Contains(err.Error(), "which this build does not have") {
			t.Errorf("a later build's version, dirty %d: %v", dirty, err)
		}
	}
}

func versions(t *testing.T) (all []uint) {
	t.Helper()
	files, err := fs.Glob(migrations.ClickHouse, "clickhouse/*.up.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		version := uint(0)
		for _, digit := range strings.TrimPrefix(file, "clickhouse/")[:4] {
			version = 10*version + uint(digit-'0')
		}
		all = append(all, version)
	}
	return all
}
