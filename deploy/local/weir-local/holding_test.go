package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDataFolder(t *testing.T) {
	l := newLocal(t)
	spool := filepath.Join(l.dir, "agent", "spool")
	must(t, os.MkdirAll(spool, 0o700))
	must(t, os.WriteFile(filepath.Join(spool, "segment"), []byte("usage"), 0o600))
	l.run().ready().stop()
	refused := func(t *testing.T, wants ...string) {
		t.Helper()
		r := l.run()
		select {
		case <-r.ended:
		case <-time.After(20 * time.Second):
			t.Fatalf("it started: %s", r.output())
		}
		out := r.output()
		for _, want := range append(wants, "make clean-local") {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in %s", want, out)
			}
		}
		if strings.Contains(out, "…") {
			t.Errorf("something was started: %s", out)
		}
	}
	t.Run("an_emptied_spool_stops_the_start", func(t *testing.T) {
		kept := filepath.Join(t.TempDir(), "spool")
		must(t, os.Rename(spool, kept))
		must(t, os.Mkdir(spool, 0o700))
		refused(t, "the data of agent is missing", spool)
		must(t, os.Remove(spool))
		must(t, os.Rename(kept, spool))
	})
	for _, part := range []string{"postgres", "kafka", "clickhouse", "agent"} {
		t.Run("an_emptied_folder_of_"+part+"_stops_the_start", func(t *testing.T) {
			folder, kept := filepath.Join(l.dir, part), filepath.Join(t.TempDir(), part)
			must(t, os.Rename(folder, kept))
			must(t, os.Mkdir(folder, 0o755))
			refused(t, "the data of "+part+" is missing", folder)
			must(t, os.Remove(folder))
			refused(t, "the data of "+part+" is missing", folder)
			must(t, os.Rename(kept, folder))
		})
	}
	for part, data := range map[string]string{"postgres": "data", "kafka": "data/partitions", "clickhouse": "data"} {
		t.Run("lost_data_of_"+part+"_stops_the_start", func(t *testing.T) {
			at, kept := filepath.Join(l.dir, part, data), filepath.Join(t.TempDir(), "kept")
			must(t, os.Rename(at, kept))
			refused(t, "the data of "+part+" is missing")
			must(t, os.Rename(kept, at))
		})
	}
	t.Run("a_folder_of_another_run_stops_the_start", func(t *testing.T) {
		mark := filepath.Join(l.dir, "clickhouse", markFile)
		own, err := os.ReadFile(mark)
		must(t, err)
		must(t, os.WriteFile(mark, []byte("another"), 0o600))
		refused(t, "clickhouse is of another data folder")
		must(t, os.WriteFile(mark, own, 0o600))
	})
	t.Run("an_external_engine_is_not_looked_for", func(t *testing.T) {
		must(t, os.RemoveAll(filepath.Join(l.dir, "kafka")))
		other := newLocal(t)
		other.run().ready()
		l.extra = []string{"WEIR_EXTERNAL_KAFKA_URL=" + sourced(t, other.dir, "WEIR_KAFKA_BROKERS")}
		l.run().ready().stop()
		l.extra = nil
		refused(t, "the data of kafka is missing")
	})
}

func TestDataFolderOfAnOlderVersion(t *testing.T) {
	l := newLocal(t)
	l.run().ready().stop()
	older := func(t *testing.T) {
		t.Helper()
		must(t, os.Remove(filepath.Join(l.dir, holdingFile)))
		must(t, os.WriteFile(filepath.Join(l.dir, "demo.json"), []byte("{}"), 0o600))
		must(t, os.MkdirAll(filepath.Join(l.dir, "agent", "identity"), 0o700))
		must(t, os.WriteFile(filepath.Join(l.dir, "agent", "identity", "identity.json"), []byte("{}"), 0o600))
		for _, p := range dataParts {
			must(t, os.Remove(filepath.Join(l.dir, p.name, markFile)))
		}
	}
	t.Run("is_taken_with_all_parts", func(t *testing.T) {
		older(t)
		l.run().ready().stop()
		if !exists(filepath.Join(l.dir, holdingFile)) {
			t.Error("and not marked")
		}
	})
	t.Run("is_refused_without_one", func(t *testing.T) {
		older(t)
		must(t, os.RemoveAll(filepath.Join(l.dir, "clickhouse")))
		out, err := l.do("run")
		if err == nil || !strings.Contains(out, "the data of clickhouse is missing") {
			t.Errorf("%v: %s", err, out)
		}
	})
}
