package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func queryPostgres(t *testing.T, dsn, sql string) (value string, err error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		return "", err
	}
	defer conn.Close(t.Context())
	err = conn.QueryRow(t.Context(), sql).Scan(&value)
	return value, err
}

func TestPostgresBelowAClosedFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("only root has to start it as somebody else")
	}
	engines := fetched(t)
	closed := filepath.Join(t.TempDir(), "postgres")
	must(t, os.CopyFS(closed, os.DirFS(engines.Postgres)))
	engines.Postgres = closed
	running, pg, err := StartPostgres(soon(t), PostgresConfig{Engines: engines, Dir: t.TempDir(), Port: freePorts(t, 1)[0]})
	must(t, err)
	t.Cleanup(running.Kill)
	if word, err := queryPostgres(t, pg.URL, "SELECT 'runs'"); err != nil || word != "runs" {
		t.Fatalf("got %q, %v", word, err)
	}
}

func TestPostgres(t *testing.T) {
	config := PostgresConfig{Engines: fetched(t), Dir: filepath.Join(t.TempDir(), "closed", "postgres"), Port: freePorts(t, 1)[0], Durable: true}
	must(t, os.Mkdir(filepath.Dir(config.Dir), 0o700))
	running, pg, err := StartPostgres(soon(t), config)
	must(t, err)
	t.Cleanup(func() { running.Kill() })

	t.Run("asks_for_the_password", func(t *testing.T) {
		if _, err := queryPostgres(t, strings.Replace(pg.URL, "postgres:", "postgres:x", 2), "SELECT 'in'"); err == nil {
			t.Fatal("a wrong password was let in")
		}
	})
	t.Run("keeps_secrets_to_the_owner", func(t *testing.T) {
		info, err := os.Stat(filepath.Join(config.Dir, "password"))
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Fatalf("password file has mode %v", info.Mode())
		}
	})
	for name, end := range map[string]func(){"stop": func() { running.Stop() }, "kill_9": func() { running.Kill() }} {
		t.Run("keeps_data_over_"+name, func(t *testing.T) {
			conn, err := pgx.Connect(t.Context(), pg.URL)
			must(t, err)
			_, err = conn.Exec(t.Context(), "CREATE TABLE "+name+" AS SELECT 'kept' AS word")
			must(t, err)
			end()
			running, _, err = StartPostgres(soon(t), config)
			must(t, err)
			if word, err := queryPostgres(t, pg.URL, "SELECT word FROM "+name); err != nil || word != "kept" {
				t.Fatalf("got %q, %v", word, err)
			}
		})
	}
}

func TestPostgresDataFolder(t *testing.T) {
	config := PostgresConfig{Engines: fetched(t), Dir: t.TempDir(), Port: freePorts(t, 1)[0]}
	data := filepath.Join(config.Dir, "data")
	t.Run("starts_over_after_an_unfinished_initdb", func(t *testing.T) {
		must(t, os.MkdirAll(filepath.Join(data+".partial", "base"), 0o700))
		if _, err := PreparePostgres(soon(t), config); err != nil {
			t.Fatal(err)
		}
	})
	for name, damage := range map[string]func() error{
		"a_folder_that_is_no_database": func() error { return os.Remove(filepath.Join(data, "PG_VERSION")) },
		"another_version":              func() error { return os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("17\n"), 0o600) },
		"a_lost_password":              func() error { return os.Remove(filepath.Join(config.Dir, "password")) },
	} {
		t.Run("refuses_"+name, func(t *testing.T) {
			keepFiles(t, filepath.Join(data, "PG_VERSION"), filepath.Join(config.Dir, "password"))
			must(t, damage())
			if _, err := PreparePostgres(soon(t), config); err == nil || !strings.Contains(err.Error(), data) {
				t.Fatalf("want an error that names %s, got %v", data, err)
			}
		})
	}
	t.Run("says_what_is_damaged_inside", func(t *testing.T) {
		must(t, os.Remove(filepath.Join(data, "global", "pg_control")))
		_, _, err := StartPostgres(soon(t), config)
		if err == nil || !strings.Contains(err.Error(), "pg_control") {
			t.Fatalf("want postgres' own reason, got %v", err)
		}
	})
}

// keepFiles puts the files back when the test ends.
func keepFiles(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		content, err := os.ReadFile(path)
		must(t, err)
		t.Cleanup(func() { must(t, os.WriteFile(path, content, 0o600)) })
	}
}
