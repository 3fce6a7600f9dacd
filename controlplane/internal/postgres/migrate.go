package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	_ "github.com/golang-migrate/migrate/v4/database/pgx/v5" // registers pgx5://
	"github.com/golang-migrate/migrate/v4/source"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"github.com/weirhq/weir/migrations"
)

// migrationLock is the advisory lock under which one process at a time migrates.
// golang-migrate's own is let go between its steps.
const migrationLock = 0x77656972_00000002

// Migrate brings the schema to this build's version. Replicas may start together,
// and a process that dies midway leaves nothing that stops the next one.
func Migrate(ctx context.Context, url string) error {
	return migrateBy(ctx, url, (*migrate.Migrate).Up)
}

// MigrateTo brings an empty or older database to a version of the schema that is
// not newer than this build's.
func MigrateTo(ctx context.Context, url string, version uint) error {
	return migrateBy(ctx, url, func(m *migrate.Migrate) error { return m.Migrate(version) })
}

func migrateBy(ctx context.Context, url string, steps func(*migrate.Migrate) error) error {
	_, rest, found := strings.Cut(url, "://")
	if !found {
		return errors.New("postgres URL: want postgres://…")
	}
	conn, err := Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return fmt.Errorf("lock to migrate postgres: %w", err)
	}
	files, err := iofs.New(migrations.Postgres, "postgres")
	if err != nil {
		return fmt.Errorf("read postgres migrations: %w", err)
	}
	m, err := migrate.NewWithSourceInstance("iofs", whole{files}, "pgx5://"+rest)
	if err != nil {
		return fmt.Errorf("connect to migrate postgres: %w", err)
	}
	err = mending(m, files, steps)
	sourceErr, databaseErr := m.Close()
	if err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return fmt.Errorf("migrate postgres: %w", err)
	}
	return errors.Join(sourceErr, databaseErr)
}

// whole makes a file and the note that it was applied one: golang-migrate notes a
// version as dirty, runs the file, and notes it as clean. The file's statements are
// one implicit transaction, and the last of them is now that note.
type whole struct{ source.Driver }

func (w whole) ReadUp(version uint) (io.ReadCloser, string, error) {
	file, name, err := w.Driver.ReadUp(version)
	if err != nil {
		return nil, "", err
	}
	const clean = "\n;UPDATE schema_migrations SET dirty = false;\n"
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(file, strings.NewReader(clean)), file}, name, nil
}

// mending migrates past a dirty version: it was not applied, not even in part, and
// whoever tried is gone, since we hold the lock.
func mending(m *migrate.Migrate, files source.Driver, steps func(*migrate.Migrate) error) error {
	err := steps(m)
	dirty := migrate.ErrDirty{}
	if !errors.As(err, &dirty) {
		return err
	}
	before := database.NilVersion
	previous, err := files.Prev(uint(dirty.Version))
	switch {
	case err == nil:
		before = int(previous)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := m.Force(before); err != nil {
		return err
	}
	return steps(m)
}
