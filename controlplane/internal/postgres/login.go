package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ErrPrivileged says that the login role goes around row-level security.
var ErrPrivileged = errors.New("the login role of Postgres is a superuser or has BYPASSRLS: give the control plane a role " +
	"without either (docs/tenancy.md), or allow it for development with WEIR_POSTGRES_SUPERUSER=true")

// CheckLogin returns ErrPrivileged where row-level security does not hold for the
// login role. Every transaction puts that role off; this is for what might put it
// on again.
func (db *DB) CheckLogin(ctx context.Context) error {
	const query = `SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user`
	var privileged bool
	err := db.SystemRead(ctx, func(tx pgx.Tx) error { return tx.QueryRow(ctx, query).Scan(&privileged) })
	if err != nil {
		return fmt.Errorf("look at the login role: %w", err)
	}
	if privileged {
		return ErrPrivileged
	}
	return nil
}
