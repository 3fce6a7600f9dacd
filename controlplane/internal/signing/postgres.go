package signing

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// New keeps the keys in Postgres, wrapped by house.
func New(db *postgres.DB, house *HouseKey) *Keys {
	return &Keys{house: house, store: table{db: db}, active: make(map[uuid.UUID]activeKey)}
}

type table struct{ db *postgres.DB }

func (t table) active(ctx context.Context, organization uuid.UUID) (key row, ok bool, err error) {
	const query = `
		SELECT id, public_key, house_key_id, wrapped FROM signing_key
		WHERE organization_id = $1 AND retired_at IS NULL`
	err = t.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, query, organization).Scan(&key.id, &key.publicKey, &key.houseKeyID, &key.wrapped)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return row{}, false, nil
	}
	if err != nil {
		return row{}, false, fmt.Errorf("read active: %w", err)
	}
	return key, true, nil
}

func (t table) add(ctx context.Context, organization uuid.UUID, key row) error {
	const insert = `
		INSERT INTO signing_key (organization_id, id, public_key, house_key_id, wrapped)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (organization_id) WHERE retired_at IS NULL DO NOTHING`
	err := t.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, insert, organization, key.id, key.publicKey, key.houseKeyID, key.wrapped)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

func (t table) all(ctx context.Context, organization uuid.UUID) (keys []row, err error) {
	const query = `
		SELECT id, public_key, house_key_id, wrapped FROM signing_key
		WHERE organization_id = $1 ORDER BY created_at, id`
	err = t.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, organization)
		if err != nil {
			return err
		}
		keys, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (key row, err error) {
			err = r.Scan(&key.id, &key.publicKey, &key.houseKeyID, &key.wrapped)
			return key, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read all: %w", err)
	}
	return keys, nil
}
