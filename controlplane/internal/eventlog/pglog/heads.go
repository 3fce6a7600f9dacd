package pglog

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/postgres"
)

var _ eventlog.HeadSource = (*Heads)(nil)

// Heads finds the organizations whose logs went on, by the ids of transactions:
// what the last snapshot could not see has an id at or above that snapshot's
// xmin. It sees every organization (weir_system).
type Heads struct {
	db *postgres.DB
}

// NewHeads returns the heads of every organization in db.
func NewHeads(db *postgres.DB) *Heads { return &Heads{db: db} }

// Changed implements eventlog.HeadSource; the cursor is a transaction id.
func (h *Heads) Changed(ctx context.Context, cursor string) ([]eventlog.Move, string, error) {
	const query = `SELECT pg_snapshot_xmin(pg_current_snapshot())::text, organization_id, head, changed_by::text
		FROM (SELECT) one LEFT JOIN organization_head ON changed_by >= $1::text::xid8`
	if cursor == "" {
		cursor = "0"
	}
	var moves []eventlog.Move
	var next string
	err := h.db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query, cursor)
		if err != nil {
			return err
		}
		var organization *uuid.UUID
		var head *int64
		var by *string
		_, err = pgx.ForEachRow(rows, []any{&next, &organization, &head, &by}, func() error {
			if organization != nil {
				moves = append(moves, eventlog.Move{Head: eventlog.Head{OrganizationID: *organization, Version: *head}, By: *by})
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("read heads of logs: %w", err)
	}
	return moves, next, nil
}
