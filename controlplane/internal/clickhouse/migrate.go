package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	migrateclickhouse "github.com/golang-migrate/migrate/v4/database/clickhouse"
	"github.com/golang-migrate/migrate/v4/source"
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
	cluster.setToMigrate(options)
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
	files, err := iofs.New(migrations.ClickHouse, "clickhouse")
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
	m, err := migrate.NewWithInstance("iofs", rendered{files, cluster}, name, target)
	if err != nil {
		return errors.Join(fmt.Errorf("prepare to migrate clickhouse: %w", err), db.Close())
	}
	err = up(m, files)
	sourceErr, databaseErr := m.Close()
	if err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return fmt.Errorf("migrate clickhouse: %w", err)
	}
	return errors.Join(sourceErr, databaseErr)
}

// up applies what is missing. Where a process died midway, the file it was in runs
// again: all of ours can.
func up(m *migrate.Migrate, files source.Driver) error {
	version, dirty, err := m.Version()
	if errors.Is(err, migrate.ErrNilVersion) {
		return m.Up()
	}
	if err != nil {
		return err
	}
	known, err := versions(files)
	if err != nil {
		return err
	}
	at, ok := slices.BinarySearch(known, version)
	switch {
	case ok && !dirty:
		return m.Up()
	case !ok && dirty:
		return fmt.Errorf("another build's process died in migration %d, which this build does not have: start that build, or a later one", version)
	case !ok && (at == len(known) || known[at] != version+1):
		return fmt.Errorf("its version is %d, which this build does not have: start the build that migrated it, or a later one", version)
	}
	// Dirty; or clean at the number before a file, to which earlier builds set it when it was.
	before := database.NilVersion
	if at > 0 {
		before = int(known[at-1])
	}
	if err := m.Force(before); err != nil {
		return err
	}
	return m.Up()
}

// versions of the files, in their order.
func versions(files source.Driver) (all []uint, err error) {
	version, err := files.First()
	for ; err == nil; version, err = files.Next(version) {
		all = append(all, version)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return all, nil
}
