package clickhouse_test

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/migrations"
)

const owner = "0192a000-0000-7000-8000-00000000000a"

// formerRow is a row as builds before 0105 insert it: two attempts, no word of the rest.
const formerRow = `INSERT INTO usage_event (organization_id, request_id, surface, started_at, duration_us, overhead_us, route, outcome, cost_usd, priced_cost_usd,
	attempt.provider, attempt.model, attempt.outcome, attempt.cost_usd, lease_until)
	SELECT '` + owner + `', generateUUIDv4(), 'openai_chat', now64(6), 5, 1, 'fast', 'ok', 3, 3, ['a', 'b'], ['m', 'm'], ['upstream_error', 'ok'], [1, 2], now() + INTERVAL 1 HOUR`

// Rows of before the migration, and those that a former build inserts after it, are
// requests of applications that told nothing.
func TestMigrate_facts_of_requests(t *testing.T) {
	server := chtest.Start(t)
	apply := func(direction string) { apply(t, server, "0105_facts_of_requests."+direction) }
	insert := func() { insert(t, server) }
	backTo(t, server, "0105_facts_of_requests")
	apply("down")
	insert()
	apply("up")
	insert()
	apply("up") // it died midway, and runs again

	as := clickhouse.Context(context.Background(), clickhouse.WithQueryID(owner+".facts"))
	type told struct {
		Rows                       uint64
		Kind, EndUser, Run, Causes string
		Labels, Candidates         uint64
	}
	want := []told{{Rows: 2, Kind: "request"}, {Rows: 4, Kind: "request", Causes: "unspecified"}}
	var got []told
	for _, query := range []string{
		`SELECT count(), any(kind), max(end_user), max(run_id), '', sum(length(labels)), sum(length(candidates)) FROM requests`,
		`SELECT count(), any(kind), max(end_user), max(run_id), arrayStringConcat(groupUniqArray(cause)), sum(length(labels)), toUInt64(0) FROM attempts WHERE outcome != ''`,
	} {
		var one told
		if err := server.Report(t).QueryRow(as, query).Scan(&one.Rows, &one.Kind, &one.EndUser, &one.Run, &one.Causes, &one.Labels, &one.Candidates); err != nil {
			t.Fatal(err)
		}
		got = append(got, one)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	apply("down")
	var rows uint64
	if err := server.Report(t).QueryRow(as, "SELECT count() FROM requests").Scan(&rows); err != nil || rows != 2 {
		t.Errorf("after going back: %d rows, %v", rows, err)
	}
}

// apply runs one migration.
func apply(t *testing.T, server *chtest.Server, name string) {
	t.Helper()
	for _, statement := range statements(t, name) {
		if err := server.Admin(t).Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func statements(t *testing.T, name string) []string {
	t.Helper()
	file, err := migrations.ClickHouse.ReadFile("clickhouse/" + name + ".sql")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(file), ";\n")
}

// backTo takes back all that came after a migration.
func backTo(t *testing.T, server *chtest.Server, name string) {
	t.Helper()
	files, err := fs.Glob(migrations.ClickHouse, "clickhouse/*.down.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range slices.Backward(files) {
		if is := strings.TrimSuffix(path.Base(file), ".sql"); is > name+".down" {
			apply(t, server, is)
		}
	}
}

func insert(t *testing.T, server *chtest.Server) {
	t.Helper()
	if err := server.Admin(t).Exec(t.Context(), formerRow); err != nil {
		t.Fatal(err)
	}
}
