package signing

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

type table struct{ db *postgres.DB }

// current returns the active key first, then the announced one.
func (t table) current(ctx context.Context, organization uuid.UUID) (keys []row, err error) {
	err = t.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		keys, err = currentIn(ctx, tx, organization)
		return err
	})
	return keys, err
}

func currentIn(ctx context.Context, tx pgx.Tx, organization uuid.UUID) ([]row, error) {
	const query = `
		SELECT id, public_key, announced, house_key_id, wrapped FROM signing_key
		WHERE organization_id = $1 AND retired_at IS NULL ORDER BY announced`
	rows, err := tx.Query(ctx, query, organization)
	if err != nil {
		return nil, fmt.Errorf("read current: %w", err)
	}
	keys, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (key row, err error) {
		err = r.Scan(&key.id, &key.publicKey, &key.announced, &key.wrapped.KeyID, &key.wrapped.Bytes)
		return key, err
	})
	if err != nil {
		return nil, fmt.Errorf("read current: %w", err)
	}
	return keys, nil
}

const insertKey = `
	INSERT INTO signing_key (organization_id, id, public_key, announced, house_key_id, wrapped)
	VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`

// begin stores the first key of an organization, unless it has an active one.
func (t table) begin(ctx context.Context, organization uuid.UUID, key row) error {
	err := t.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, insertKey, organization, key.id, key.publicKey, false, key.wrapped.KeyID, key.wrapped.Bytes)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}
