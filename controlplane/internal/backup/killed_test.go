package backup_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/backup"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// killable makes the test binary a process that backs up or restores.
const killable = "WEIR_TEST_BACKUP_COMMAND"

func TestMain(m *testing.M) {
	command := os.Getenv(killable)
	if command == "" {
		os.Exit(m.Run())
	}
	fmt.Println("begun")
	if err := act(context.Background(), command, os.Getenv("WEIR_TEST_BACKUP_URL"), os.Getenv("WEIR_TEST_BACKUP_FILE")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func act(ctx context.Context, command, url, path string) error {
	if command == "restore" {
		a, err := backup.Open(path)
		if err != nil {
			return err
		}
		defer a.Close()
		return backup.Restore(ctx, url, a)
	}
	schema, err := postgres.BuildSchema()
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = backup.Save(ctx, db, schema, path)
	return err
}

// killed tells whether the process was killed before it ended.
func killed(t *testing.T, command, url, path string, within time.Duration) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killable+"="+command, "WEIR_TEST_BACKUP_URL="+url, "WEIR_TEST_BACKUP_FILE="+path)
	cmd.Stderr = os.Stderr
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
	timer := time.AfterFunc(rand.N(within), func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		t.Fatalf("%s failed: %v", command, err)
	}
	return err != nil
}

// large is a store that takes a while to copy.
func large(t *testing.T) (*postgres.DB, string) {
	t.Helper()
	db, url := pgtest.OpenURL(t)
	id := found(t, db, "alpha")
	var changes []eventlog.Change
	for i := range 2000 {
		changes = append(changes, eventlog.Change{Subject: uuid.New(), Body: &eventv1.ProjectCreated{Name: fmt.Sprint("project-", i)}})
	}
	extend(t, db, id, 1, changes...)
	return db, url
}

// A killed backup leaves no file that a restore takes.
func TestSave_killed_at_any_instant(t *testing.T) {
	_, url := large(t)
	kills := 0
	for range 15 {
		path := filepath.Join(t.TempDir(), "backup.zip")
		if !killed(t, "backup", url, path, 150*time.Millisecond) {
			continue
		}
		kills++
		if a, err := backup.Open(path + ".partial"); err == nil {
			// Whole, and killed between its last byte and its name.
			if len(a.Organizations) != 1 {
				t.Error("part of a backup was taken for a whole one")
			}
			a.Close()
		}
		if a, err := backup.Open(path); err == nil {
			a.Close()
		} else if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a file with the backup's name is none: %v", err)
		}
	}
	if kills == 0 {
		t.Error("every backup ended before it was killed")
	}
	t.Logf("killed %d of 15", kills)
}

// A killed restore leaves all rows or none, and is run again.
func TestRestore_killed_at_any_instant(t *testing.T) {
	db, url := large(t)
	path, into := save(t, db), pgtest.Create(t)
	kills := 0
	for range 40 {
		if !killed(t, "restore", into, path, 600*time.Millisecond) {
			break
		}
		kills++
		if rows := contents(t, into)["event"]; len(rows) == 2001 {
			break // killed after the commit
		} else if len(rows) > 0 {
			t.Fatalf("left %d of 2001 events", len(rows))
		}
	}
	if kills == 0 {
		t.Error("the restore ended before it was killed")
	}
	if len(contents(t, into)["event"]) == 0 {
		if err := restore(t, path, into); err != nil {
			t.Fatal(err)
		}
	}
	was, is := contents(t, url), contents(t, into)
	for _, table := range []string{"event", "organization_head", "project"} {
		if diff := cmp.Diff(was[table], is[table]); diff != "" {
			t.Errorf("%s differs:\n%s", table, diff)
		}
	}
	t.Logf("killed %d times", kills)
}
