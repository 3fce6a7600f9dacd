// Package postgres opens the configuration store: migrations, the two roles that
// the control plane works under, and transactions that see one organization.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// idleInTransaction ends the transaction of a process that went away or hangs, so
// that it does not hold an organization's log.
const idleInTransaction = "60s"

// Connections of each role, where the URL has no pool_max_conns. Commits wait for
// the disk together: few connections would make them wait for each other.
const (
	appConnections    = 16
	systemConnections = 8
)

// DB is the store under its two roles. Row-level security holds for weir_app;
// weir_system sees every organization, and docs/tenancy.md lists who uses it.
// A connection has its role from its first byte on: what forgets to enter an
// organization sees nothing.
type DB struct {
	app, system *pgxpool.Pool
}

// Open connects as the login role in url, which must be a member of weir_app and
// weir_system (Migrate sees to it for the role that migrates).
func Open(ctx context.Context, url string) (*DB, error) {
	app, err := open(ctx, url, "weir_app", appConnections)
	if err != nil {
		return nil, err
	}
	system, err := open(ctx, url, "weir_system", systemConnections)
	if err != nil {
		app.Close()
		return nil, err
	}
	return &DB{app: app, system: system}, nil
}

func open(ctx context.Context, url, role string, connections int32) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("postgres URL: not a valid connection string") // the parser's own text may show the password
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = connections
	}
	config.ConnConfig.RuntimeParams["role"] = role
	config.ConnConfig.RuntimeParams["application_name"] = "weir-controlplane/" + role
	config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = idleInTransaction
	config.AfterConnect = knowUUIDs
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open postgres as %s: %w", role, err)
	}
	return pool, nil
}

// Close waits for transactions and closes both pools.
func (db *DB) Close() {
	db.app.Close()
	db.system.Close()
}

// Ping tells whether the store answers under both roles.
func (db *DB) Ping(ctx context.Context) error {
	return errors.Join(db.app.Ping(ctx), db.system.Ping(ctx))
}
