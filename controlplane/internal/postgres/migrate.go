package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/golang-migrate/migrate/v4"
	_ "github.com/golang-migrate/migrate/v4/database/pgx/v5" // registers pgx5://
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"github.com/weirhq/weir/migrations"
)

// Migrate brings the schema to this build's version. It takes an advisory lock,
// so that replicas may start together.
func Migrate(url string) error {
	source, err := iofs.New(migrations.Postgres, "postgres")
	if err != nil {
		return fmt.Errorf("read postgres migrations: %w", err)
	}
	_, rest, found := strings.Cut(url, "://")
	if !found {
		return errors.New("postgres URL: want postgres://…")
	}
	m, err := migrate.NewWithSourceInstance("iofs", source, "pgx5://"+rest)
	if err != nil {
		return fmt.Errorf("connect to migrate postgres: %w", err)
	}
	err = m.Up()
	sourceErr, databaseErr := m.Close()
	if err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return fmt.Errorf("migrate postgres: %w", err)
	}
	return errors.Join(sourceErr, databaseErr)
}
