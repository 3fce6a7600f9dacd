package audit

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// Organizations are those that have a head, an event or a link: somebody may have
// removed any of them.
func Organizations(ctx context.Context, db *postgres.DB) (ids []uuid.UUID, err error) {
	const query = `SELECT organization_id FROM organization_head
		UNION SELECT organization_id FROM event UNION SELECT organization_id FROM audit_link`
	err = db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list organizations: %w", err)
	}
	return ids, nil
}
