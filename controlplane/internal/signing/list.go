package signing

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Listed is a key as it is shown to operators.
type Listed struct {
	OrganizationID uuid.UUID
	ID             string
	// State is active, announced or retired.
	State      string
	HouseKeyID string
	CreatedAt  time.Time
}

// List returns the keys of all organizations, or of one.
func (k *Keys) List(ctx context.Context, organization uuid.NullUUID) (keys []Listed, err error) {
	const query = `
		SELECT organization_id, id,
			CASE WHEN retired_at IS NOT NULL THEN 'retired' WHEN announced THEN 'announced' ELSE 'active' END,
			house_key_id, created_at
		FROM signing_key WHERE $1::uuid IS NULL OR organization_id = $1 ORDER BY organization_id, created_at, id`
	err = k.table.db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, organization)
		if err != nil {
			return err
		}
		keys, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Listed])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	return keys, nil
}
