package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	migrateclickhouse "github.com/golang-migrate/migrate/v4/database/clickhouse"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"github.com/weirhq/weir/migrations"
)

// Migrate makes the database when it is missing and brings its schema to this
// build's version. The views belong to the user report_definer, who must be known
// to the server and may read this database only. On a cluster all of it is made on each
// server, and the tables are replicated. ClickHouse has no lock for it: run it from one
// process at a time.
func Migrate(ctx context.Context, url, database string, cluster Cluster) error {
	options, err := parse(url)
	if err != nil {
		return err
	}
	if err := createDatabase(ctx, *options, database, cluster); err != nil {
		return err
	}
	options.Auth.Database = database
	cluster.set(options)
	return migrateUp(ctx, clickhouse.OpenDB(options), database, cluster)
}

func createDatabase(ctx context.Context, options clickhouse.Options, database string, cluster Cluster) error {
	options.Auth.Database = "default"
	conn, err := newConn(&options)
	if err != nil {
		return err
	}
	err = conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS {name:Identifier}"+cluster.onCluster(), clickhouse.Named("name", database))
	if err != nil {
		err = fmt.Errorf("create clickhouse database %s: %w", database, err)
	}
	return errors.Join(err, conn.Close())
}

// migrateUp hands our own connection to golang-migrate: its driver would look for
// a database/sql driver named "clickhouse" and depends on none.
func migrateUp(ctx context.Context, db *sql.DB, name string, cluster Cluster) error {
	if err := db.PingContext(ctx); err != nil {
		return errors.Join(fmt.Errorf("connect to migrate clickhouse: %w", err), db.Close())
	}
	source, err := iofs.New(migrations.ClickHouse, "clickhouse")
	if err != nil {
		return errors.Join(fmt.Errorf("read clickhouse migrations: %w", err), db.Close())
	}
	target, err := migrateclickhouse.WithInstance(db, &migrateclickhouse.Config{
		DatabaseName:          name,
		ClusterName:           strings.TrimPrefix(cluster.onCluster(), " ON CLUSTER "), // quoted
		MigrationsTableEngine: cluster.migrationsEngine(),
		MultiStatementEnabled: true,
	})
	if err != nil {
		return errors.Join(fmt.Errorf("prepare to migrate clickhouse: %w", err), db.Close())
	}
	m, err := migrate.NewWithInstance("iofs", rendered{source, cluster}, name, target)
	if err != nil {
		return errors.Join(fmt.Errorf("prepare to migrate clickhouse: %w", err), db.Close())
	}
	err = up(m)
	sourceErr, databaseErr := m.Close()
	if err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return fmt.Errorf("migrate clickhouse: %w", err)
	}
	return errors.Join(sourceErr, databaseErr)
}

// up applies what is missing. Where a process died midway, the file it was in runs
// again: all of ours can.
func up(m *migrate.Migrate) error {
	err := m.Up()
	dirty := migrate.ErrDirty{}
	if !errors.As(err, &dirty) {
		return err
	}
	before := dirty.Version - 1
	if before == 0 {
		before = database.NilVersion
	}
	if err := m.Force(before); err != nil {
		return err
	}
	return m.Up()
}
