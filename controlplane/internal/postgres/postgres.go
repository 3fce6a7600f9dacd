// Package postgres opens the configuration store: migrations, the two roles that
// the control plane works under, and transactions that see one organization.
package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// DB is the store under its two roles. Row-level security holds for weir_app;
// weir_system sees every organization, and docs/architecture.md lists who uses it.
type DB struct {
	app, system *pgxpool.Pool
}

// Open connects as the login role in url, which must be a member of weir_app and
// weir_system (Migrate sees to it for the role that migrates).
func Open(ctx context.Context, url string) (*DB, error) {
	app, err := open(ctx, url, "weir_app")
	if err != nil {
		return nil, err
	}
	system, err := open(ctx, url, "weir_system")
	if err != nil {
		app.Close()
		return nil, err
	}
	return &DB{app: app, system: system}, nil
}

func open(ctx context.Context, url, role string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("postgres URL: not a valid connection string") // the parser's own text may show the password
	}
	config.ConnConfig.RuntimeParams["role"] = role
	config.ConnConfig.RuntimeParams["application_name"] = "weir-controlplane/" + role
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

// InOrganization runs fn in one READ COMMITTED transaction that sees the rows of
// this organization only; it commits when fn returns nil.
func (db *DB) InOrganization(ctx context.Context, organization uuid.UUID, fn func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, db.app, enter(organization, "read committed read write"), fn)
}

// Snapshot is InOrganization for reading only, all of it at one instant
// (REPEATABLE READ).
func (db *DB) Snapshot(ctx context.Context, organization uuid.UUID, fn func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, db.app, enter(organization, "repeatable read read only"), fn)
}

// enter begins and names the organization in one round trip. A UUID's text needs
// no quoting.
func enter(organization uuid.UUID, mode string) pgx.TxOptions {
	return pgx.TxOptions{BeginQuery: "BEGIN ISOLATION LEVEL " + mode +
		"; SET LOCAL weir.organization_id = '" + organization.String() + "'"}
}

// System runs fn in one transaction that sees every organization. Whoever calls
// it stands in the list in docs/architecture.md.
func (db *DB) System(ctx context.Context, fn func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, db.system, fn)
}
