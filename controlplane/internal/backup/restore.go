package backup

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// Restore fills an empty database from a backup, as the role in url, and brings
// its schema to this build's. All rows, and the rise of every policy epoch, are one
// transaction that is committed only when what it wrote is what the manifest says.
func Restore(ctx context.Context, url string, a *Archive) error {
	build, err := postgres.BuildSchema()
	if err != nil {
		return err
	}
	if a.Schema > build {
		return fmt.Errorf("the backup has schema %d and this build knows up to %d: restore it with the build that made it or a newer one", a.Schema, build)
	}
	if err := refuseForeign(ctx, url, a.Schema); err != nil {
		return err
	}
	if err := postgres.MigrateTo(ctx, url, a.Schema); err != nil {
		return err
	}
	conn, err := postgres.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return fill(ctx, tx, a) })
	if err != nil {
		return fmt.Errorf("restore, nothing was written: %w", err)
	}
	return postgres.Migrate(ctx, url)
}

// refuseForeign lets a database through that has no tables, or Weir's up to the
// backup's schema, as a restore that was killed leaves them; whether those are
// empty is seen under lock.
func refuseForeign(ctx context.Context, url string, schema uint) error {
	conn, err := postgres.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var ours bool
	var table string
	err = conn.QueryRow(ctx, `SELECT to_regclass('schema_migrations') IS NOT NULL, coalesce(min(relname), '') FROM pg_class
		WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`).Scan(&ours, &table)
	if err != nil {
		return fmt.Errorf("look whether the database is empty: %w", err)
	}
	if !ours && table != "" {
		return fmt.Errorf("the database has a table %s already: restore into an empty one", table)
	}
	if !ours {
		return nil
	}
	var has uint
	err = conn.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM schema_migrations`).Scan(&has)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if has > schema {
		return fmt.Errorf("the database has schema %d already, newer than the backup's %d: restore into an empty one", has, schema)
	}
	return nil
}

// fill lifts what keeps even the owner from other organizations' rows, and puts
// it back before it ends. Nobody else gets to the tables meanwhile.
func fill(ctx context.Context, tx pgx.Tx, a *Archive) error {
	forced, err := forcedTables(ctx, tx)
	if err != nil {
		return err
	}
	if err := alter(ctx, tx, forced, "NO FORCE ROW LEVEL SECURITY"); err != nil {
		return err
	}
	for _, t := range a.Tables {
		if err := a.copyTable(ctx, tx, t); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	if err := verify(ctx, tx, a.Manifest); err != nil {
		return err
	}
	if err := raiseEpochs(ctx, tx, time.Now()); err != nil {
		return err
	}
	return alter(ctx, tx, forced, "FORCE ROW LEVEL SECURITY")
}

func (a *Archive) copyTable(ctx context.Context, tx pgx.Tx, t Table) error {
	var rows bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+t.quoted()+")").Scan(&rows); err != nil {
		return err
	}
	if rows {
		return fmt.Errorf("it has rows: restore into an empty database")
	}
	file, err := a.zip.Open(t.entry())
	if err != nil {
		return err
	}
	defer file.Close()
	copied, err := tx.Conn().PgConn().CopyFrom(ctx, file, t.copyIn())
	if err != nil {
		return err
	}
	if copied.RowsAffected() != t.Rows {
		return fmt.Errorf("wrote %d rows of %d", copied.RowsAffected(), t.Rows)
	}
	return nil
}

func forcedTables(ctx context.Context, tx pgx.Tx) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT relname FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relforcerowsecurity ORDER BY relname`)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func alter(ctx context.Context, tx pgx.Tx, tables []string, what string) error {
	for _, name := range tables {
		if _, err := tx.Exec(ctx, "ALTER TABLE "+(Table{Name: name}).quoted()+" "+what); err != nil {
			return fmt.Errorf("alter table %s: %w", name, err)
		}
	}
	return nil
}

// raiseEpochs makes agents follow the restored policies, which are older than
// what they hold, and the ledger of quotas wait for them.
func raiseEpochs(ctx context.Context, tx pgx.Tx, now time.Time) error {
	const raise = `INSERT INTO policy_epoch (organization_id, epoch, restored_epoch, restored_at)
		SELECT organization_id, $1, $1, clock_timestamp() FROM organization_head
		ON CONFLICT (organization_id) DO UPDATE SET epoch = greatest(policy_epoch.epoch + 1, excluded.epoch),
			restored_epoch = greatest(policy_epoch.epoch + 1, excluded.epoch), restored_at = excluded.restored_at`
	if _, err := tx.Exec(ctx, raise, now.Unix()); err != nil {
		return fmt.Errorf("raise epochs: %w", err)
	}
	return nil
}
