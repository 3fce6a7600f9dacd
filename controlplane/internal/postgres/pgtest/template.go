package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/migrations"
)

// templateLock is the advisory lock under which one process at a time makes the template.
const templateLock = 0x77656972_74657374

// template names a migrated database of the server that is there to be copied: a copy
// takes a small part of what the migrations take. All test processes share it, and it
// stays: the name has the hash of the migrations.
var template = sync.OnceValues(func() (string, error) {
	sum, err := migrationsSum()
	if err != nil {
		return "", err
	}
	ctx, name := context.Background(), "migrated_"+sum
	conn, err := connect(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(templateLock)); err != nil {
		return "", fmt.Errorf("lock to make the template: %w", err)
	}
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil {
		return "", fmt.Errorf("look for the template: %w", err)
	}
	if !there {
		err = makeTemplate(ctx, conn, name)
	}
	return name, err
})

// makeTemplate gives the database its name once it is whole.
func makeTemplate(ctx context.Context, conn *pgx.Conn, name string) error {
	unfinished := name + "_unfinished"
	target, err := urlOf(unfinished)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		"DROP DATABASE IF EXISTS " + unfinished + " WITH (FORCE)", // of a process that was killed
		"CREATE DATABASE " + unfinished,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	if err := postgres.Migrate(ctx, target); err != nil {
		return err
	}
	// Nobody may connect: a database with sessions can't be copied.
	for _, statement := range []string{
		"ALTER DATABASE " + unfinished + " WITH ALLOW_CONNECTIONS false",
		"ALTER DATABASE " + unfinished + " RENAME TO " + name,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func migrationsSum() (string, error) {
	files, err := fs.Glob(migrations.Postgres, "postgres/*.up.sql")
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, file := range files {
		text, err := migrations.Postgres.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", file, len(text), text)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}
