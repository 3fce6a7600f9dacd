package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Witness implements Releases. It locks nothing where the store has the release.
func (t *ReleaseTable) Witness(ctx context.Context, served Served) (found Finding, err error) {
	err = t.db.InOrganization(ctx, served.OrganizationID, func(tx pgx.Tx) error {
		if found, err = find(ctx, tx, served); err != nil || found != Lost {
			return err
		}
		if _, err := lockEpoch(ctx, tx, served.OrganizationID); err != nil {
			return err
		}
		// Who published, or raised the epoch for the same reason, has committed.
		if found, err = find(ctx, tx, served); err != nil || found != Lost {
			return err
		}
		return raiseAbove(ctx, tx, served)
	})
	if err != nil {
		return "", fmt.Errorf("look for release %d/%d of gateway %s: %w", served.Epoch, served.Version, served.GatewayID, err)
	}
	return found, nil
}

// find looks for a release. Below the oldest one of its epoch it may have been pruned; a gap
// above that one is a loss. An epoch that is yet to come was there before.
func find(ctx context.Context, tx pgx.Tx, served Served) (found Finding, err error) {
	const query = `
		WITH stored AS (
			SELECT version, root FROM release
			WHERE organization_id = $1 AND gateway_id = $2 AND track = ANY('{stable,candidate}') AND epoch = $3)
		SELECT CASE
			WHEN epoch > $3 THEN 'over'
			WHEN epoch < $3 THEN 'lost'
			WHEN EXISTS (SELECT FROM stored WHERE version = $4 AND root = $5) THEN 'known'
			WHEN EXISTS (SELECT FROM stored WHERE version <= $4) OR NOT EXISTS (SELECT FROM stored) THEN 'lost'
			ELSE 'known' END
		FROM policy_epoch WHERE organization_id = $1`
	err = tx.QueryRow(ctx, query, served.OrganizationID, served.GatewayID, served.Epoch, served.Version, served.Root).Scan(&found)
	if errors.Is(err, pgx.ErrNoRows) {
		return Lost, nil // not even an epoch; one begins under lock
	}
	return found, err
}

// raiseAbove raises the epoch so that agents with the release follow, tells the ledger of quotas
// that something was lost, and wakes those who follow the log: every gateway's policy is due
// again, though no version changed.
func raiseAbove(ctx context.Context, tx pgx.Tx, served Served) error {
	const raise = `UPDATE policy_epoch SET epoch = GREATEST(epoch + 1, $2), restored_epoch = GREATEST(epoch + 1, $2), restored_at = clock_timestamp()
		WHERE organization_id = $1`
	if _, err := tx.Exec(ctx, raise, served.OrganizationID, max(served.Epoch+1, time.Now().Unix())); err != nil {
		return fmt.Errorf("raise epoch: %w", err)
	}
	const wake = `UPDATE organization_head SET changed_by = pg_current_xact_id() WHERE organization_id = $1`
	if _, err := tx.Exec(ctx, wake, served.OrganizationID); err != nil {
		return fmt.Errorf("wake followers: %w", err)
	}
	return nil
}
