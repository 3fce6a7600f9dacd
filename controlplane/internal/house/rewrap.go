package house

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// Rest says how one table holds wrapped secrets: beside each its house_key_id.
type Rest struct {
	// Table, its column of wrapped bytes, and the text that names a row.
	Table, Wrapped, ID string
	// Owned tables have an organization_id.
	Owned bool
	// Bound returns what the secret of a row is bound to.
	Bound func(Row) ([]byte, error)
}

// Row is one wrapped secret.
type Row struct {
	Organization uuid.UUID
	ID           string
}

const rewrapPage = 100

// Rewrap wraps everything in the table under the newest key, some rows at a time,
// each time in a transaction of its own: killed and run again it goes on. It
// returns how many rows it wrapped anew.
func (k *Keys) Rewrap(ctx context.Context, db *postgres.DB, rest Rest) (int, error) {
	total := 0
	for {
		n := 0
		err := db.System(ctx, func(tx pgx.Tx) (err error) {
			n, err = k.rewrapPage(ctx, tx, rest)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("rewrap %s: %w", rest.Table, err)
		}
		if total += n; n < rewrapPage {
			return total, nil
		}
	}
}

type oldRow struct {
	Row
	wrapped Wrapped
}

func (k *Keys) rewrapPage(ctx context.Context, tx pgx.Tx, rest Rest) (int, error) {
	organization := "'00000000-0000-0000-0000-000000000000'::uuid"
	if rest.Owned {
		organization = "organization_id"
	}
	newest := k.IDs()[0]
	query := fmt.Sprintf(`SELECT %s, %s, house_key_id, %s FROM %s
		WHERE house_key_id <> $1 AND %[3]s <> '' ORDER BY 1, 2 LIMIT %[5]d FOR UPDATE`,
		organization, rest.ID, rest.Wrapped, rest.Table, rewrapPage)
	rows, err := tx.Query(ctx, query, newest)
	if err != nil {
		return 0, err
	}
	old, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (o oldRow, err error) {
		err = r.Scan(&o.Organization, &o.ID, &o.wrapped.KeyID, &o.wrapped.Bytes)
		return o, err
	})
	if err != nil || len(old) == 0 {
		return 0, err
	}
	update := fmt.Sprintf(`UPDATE %s SET house_key_id = $1, %s = $2 WHERE %s = $3 AND %s = $4`,
		rest.Table, rest.Wrapped, organization, rest.ID)
	batch := &pgx.Batch{}
	for _, o := range old {
		anew, err := k.again(rest, o)
		if err != nil {
			return 0, fmt.Errorf("row %s: %w", o.ID, err)
		}
		batch.Queue(update, anew.KeyID, anew.Bytes, o.Organization, o.ID)
	}
	return len(old), tx.SendBatch(ctx, batch).Close()
}

func (k *Keys) again(rest Rest, o oldRow) (Wrapped, error) {
	bound, err := rest.Bound(o.Row)
	if err != nil {
		return Wrapped{}, err
	}
	secret, err := k.Unwrap(bound, o.wrapped)
	if err != nil {
		return Wrapped{}, err
	}
	return k.Wrap(bound, secret), nil
}

// Count tells how many secrets of the table each house key wraps.
func Count(ctx context.Context, db *postgres.DB, rest Rest) (map[string]int, error) {
	counts := make(map[string]int)
	query := fmt.Sprintf(`SELECT house_key_id, count(*) FROM %s WHERE %s <> '' GROUP BY 1`, rest.Table, rest.Wrapped)
	err := db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return err
		}
		var id string
		var count int
		_, err = pgx.ForEachRow(rows, []any{&id, &count}, func() error {
			counts[id] = count
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count secrets of %s: %w", rest.Table, err)
	}
	return counts, nil
}
