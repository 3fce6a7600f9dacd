package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// migrateURL makes the test binary a process that migrates, to be killed.
const migrateURL = "WEIR_TEST_MIGRATE_URL"

func TestMain(m *testing.M) {
	url := os.Getenv(migrateURL)
	if url == "" {
		os.Exit(m.Run())
	}
	fmt.Println("migrating")
	if err := postgres.Migrate(context.Background(), url); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestMigrate_killed_at_any_instant(t *testing.T) {
	url := pgtest.Create(t)
	killed := 0
	for range 40 {
		if done := migrateAndKill(t, url); done {
			break
		}
		killed++
	}
	if killed == 0 {
		t.Error("every migration ended before it was killed")
	}
	if err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var dirty bool
	if err := conn.QueryRow(t.Context(), "SELECT dirty FROM schema_migrations").Scan(&dirty); err != nil || dirty {
		t.Errorf("dirty %t, error %v", dirty, err)
	}
	t.Logf("killed %d times", killed)
}

// migrateAndKill tells whether the process ended well before it was killed.
func migrateAndKill(t *testing.T, url string) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), migrateURL+"="+url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Duration(rand.IntN(150))*time.Millisecond, func() { _ = cmd.Process.Kill() })
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		t.Fatalf("migration failed: %v", err)
	}
	return err == nil
}
