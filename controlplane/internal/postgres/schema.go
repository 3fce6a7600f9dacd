package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/migrations"
)

// BuildSchema is the version of the schema that this build works with.
func BuildSchema() (uint, error) {
	files, err := iofs.New(migrations.Postgres, "postgres")
	if err != nil {
		return 0, fmt.Errorf("read postgres migrations: %w", err)
	}
	defer files.Close()
	version, err := files.First()
	for err == nil {
		var next uint
		if next, err = files.Next(version); err == nil {
			version = next
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("read postgres migrations: %w", err)
	}
	return version, nil
}

// Schema is the version of the schema in the database; 0: it has none.
func Schema(ctx context.Context, url string) (uint, error) {
	conn, err := Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass('schema_migrations') IS NOT NULL`).Scan(&exists); err != nil || !exists {
		return 0, err
	}
	var version uint
	var dirty bool
	err = conn.QueryRow(ctx, `SELECT version, dirty FROM schema_migrations`).Scan(&version, &dirty)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read schema version: %w", err)
	case dirty:
		return 0, fmt.Errorf("a migration to schema %d was interrupted: start the control plane once, it mends that", version)
	}
	return version, nil
}

// CheckSchema refuses a database whose schema is not this build's.
func CheckSchema(ctx context.Context, url string) error {
	has, err := Schema(ctx, url)
	if err != nil {
		return err
	}
	want, err := BuildSchema()
	if err != nil {
		return err
	}
	if has != want {
		return fmt.Errorf("the database has schema %d and this build works with %d: use the build that serves it", has, want)
	}
	return nil
}

// Connect is for what must be done as the login role itself: migrations and
// restores. docs/tenancy.md lists who calls it.
func Connect(ctx context.Context, url string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("postgres URL: not a valid connection string") // the parser's own text may show the password
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to postgres: %w", err)
	}
	return conn, nil
}
