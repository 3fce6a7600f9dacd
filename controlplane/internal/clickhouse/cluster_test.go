package clickhouse

import (
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/migrations"
)

var update = flag.Bool("update", false, "write the golden files")

func TestCluster_render(t *testing.T) {
	for _, name := range []string{
		"0001_usage_event.up", "0001_usage_event.down", "0002_usage_range.up", "0005_dead_lettered.up",
		"0110_losses.up", "0115_rollups.up", "0115_rollups.down", "0116_views.down",
	} {
		t.Run(name, func(t *testing.T) {
			text, err := migrations.ClickHouse.ReadFile("clickhouse/" + name + ".sql")
			if err != nil {
				t.Fatal(err)
			}
			got, err := Cluster("weir").render(string(text))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "cluster", name+".sql")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Every migration there is can be rendered, and on a single server is as it is written.
func TestCluster_renders_all(t *testing.T) {
	for name, text := range allMigrations(t) {
		got, err := Cluster("{cluster}").render(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		statements := strings.Count(strings.TrimRight(strings.TrimSpace(text), ";"), ";") + 1
		if n := strings.Count(got, " ON CLUSTER '{cluster}'"); n != statements {
			t.Errorf("%s: %d of %d statements on the cluster", name, n, statements)
		}
		if strings.Contains(got, "ENGINE = MergeTree") || strings.Contains(got, "non_replicated") {
			t.Errorf("%s: a table of one server alone", name)
		}
		if plain, err := Cluster("").render(text); err != nil || plain != text {
			t.Errorf("%s: changed for a single server, %v", name, err)
		}
	}
}

func TestCluster_renders_nothing_it_does_not_know(t *testing.T) {
	for _, statement := range []string{"RENAME TABLE a TO b", "CREATE TABLE a (b Int64) ENGINE = MergeTree", "ALTER TABLE a\n  DROP COLUMN b\nALTER TABLE c"} {
		if got, err := Cluster("weir").render(statement); err == nil {
			t.Errorf("%q is %q", statement, got)
		}
	}
}

// Migrations wait for every replica; on a single server nothing is set.
func TestCluster_migrations_wait_for_replicas(t *testing.T) {
	for cluster, want := range map[Cluster]any{"": nil, "weir": 2} {
		options := &clickhouse.Options{}
		cluster.setToMigrate(options)
		if got := options.Settings["alter_sync"]; got != want {
			t.Errorf("%q: alter_sync is %v, want %v", cluster, got, want)
		}
	}
}

func TestCluster_Validate(t *testing.T) {
	for name, ok := range map[Cluster]bool{"": true, "weir": true, "{cluster}": true, "eu-1.weir": true, "a b": false, "a'": false, "{a": false, "$1": false} {
		if err := name.Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func allMigrations(t *testing.T) map[string]string {
	t.Helper()
	files, err := fs.Glob(migrations.ClickHouse, "clickhouse/*.sql")
	if err != nil || len(files) < 18 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	out := map[string]string{}
	for _, file := range files {
		text, err := migrations.ClickHouse.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[path.Base(file)] = string(text)
	}
	return out
}
