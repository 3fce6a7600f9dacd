package backup

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// verify compares the database with the manifest: the same organizations, each
// with the same head, a log without a hole up to it, and the same end of its chain.
func verify(ctx context.Context, tx pgx.Tx, m Manifest) error {
	restored, err := organizations(ctx, tx)
	if err != nil {
		return err
	}
	if len(restored) != len(m.Organizations) {
		return fmt.Errorf("restored %d organizations of %d", len(restored), len(m.Organizations))
	}
	for i, want := range m.Organizations {
		got := restored[i]
		switch {
		case got.ID != want.ID || got.Head != want.Head:
			return fmt.Errorf("organization %s ends at version %d, the manifest says organization %s at %d", got.ID, got.Head, want.ID, want.Head)
		case got.Audit != want.Audit:
			return fmt.Errorf("organization %s: the audit chain ends in %q, the manifest says %q", got.ID, got.Audit, want.Audit)
		}
	}
	return verifyLogs(ctx, tx)
}

func verifyLogs(ctx context.Context, tx pgx.Tx) error {
	const query = `SELECT h.organization_id, h.head, count(e.version), coalesce(max(e.version), 0)
		FROM organization_head h LEFT JOIN event e USING (organization_id)
		GROUP BY h.organization_id, h.head HAVING count(e.version) <> h.head OR coalesce(max(e.version), 0) <> h.head`
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("look for holes: %w", err)
	}
	var id uuid.UUID
	var head, events, last int64
	_, err = pgx.ForEachRow(rows, []any{&id, &head, &events, &last}, func() error {
		return fmt.Errorf("the log of organization %s has %d events up to version %d and its head says %d", id, events, last, head)
	})
	if err != nil {
		return fmt.Errorf("look for holes: %w", err)
	}
	return nil
}
