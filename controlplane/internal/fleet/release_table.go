package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// ReleaseTable keeps releases in Postgres.
type ReleaseTable struct{ db *postgres.DB }

var _ Releases = (*ReleaseTable)(nil)

// NewReleaseTable returns the releases in db.
func NewReleaseTable(db *postgres.DB) *ReleaseTable { return &ReleaseTable{db: db} }

// Epoch implements Releases.
func (t *ReleaseTable) Epoch(ctx context.Context, organization uuid.UUID) (epoch int64, err error) {
	const query = `SELECT epoch FROM policy_epoch WHERE organization_id = $1`
	err = t.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, query, organization).Scan(&epoch)
		if errors.Is(err, pgx.ErrNoRows) {
			epoch, err = lockEpoch(ctx, tx, organization)
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("epoch of organization %s: %w", organization, err)
	}
	return epoch, nil
}

// Publish implements Releases.
func (t *ReleaseTable) Publish(ctx context.Context, draft Draft) (release Release, err error) {
	err = t.db.InOrganization(ctx, draft.OrganizationID, func(tx pgx.Tx) error {
		latest, err := latestRelease(ctx, tx, draft)
		switch {
		case err != nil || latest.serves(draft):
		case draft.Frozen:
			err = ErrFrozen
		default:
			latest, err = publishLocked(ctx, tx, draft)
		}
		release = latest
		return err
	})
	if err != nil {
		return Release{}, fmt.Errorf("release version %d of gateway %s: %w", draft.Version, draft.GatewayID, err)
	}
	return release, nil
}

// publishLocked holds the organization's epoch row, so that one writer at a time
// compares with the latest release and follows it.
func publishLocked(ctx context.Context, tx pgx.Tx, draft Draft) (Release, error) {
	epoch, err := lockEpoch(ctx, tx, draft.OrganizationID)
	if err != nil {
		return Release{}, err
	}
	latest, err := latestRelease(ctx, tx, draft)
	if err != nil || latest.serves(draft) {
		return latest, err
	}
	if latest.Epoch == epoch && latest.Version > draft.Version {
		return Release{}, ErrOutdated
	}
	if latest.Epoch == epoch && latest.Version == draft.Version {
		if epoch, err = raiseEpoch(ctx, tx, draft.OrganizationID); err != nil {
			return Release{}, err
		}
	}
	signed, err := draft.Seal(epoch)
	if err != nil {
		return Release{}, err
	}
	release := Release{Epoch: epoch, Version: draft.Version, Root: draft.Root, Believed: draft.Believed, Signed: signed}
	return release, insertRelease(ctx, tx, draft, release)
}

func lockEpoch(ctx context.Context, tx pgx.Tx, organization uuid.UUID) (epoch int64, err error) {
	const begin = `INSERT INTO policy_epoch (organization_id, epoch) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	if _, err := tx.Exec(ctx, begin, organization, time.Now().Unix()); err != nil {
		return 0, fmt.Errorf("begin epoch: %w", err)
	}
	const lock = `SELECT epoch FROM policy_epoch WHERE organization_id = $1 FOR UPDATE`
	if err := tx.QueryRow(ctx, lock, organization).Scan(&epoch); err != nil {
		return 0, fmt.Errorf("lock epoch: %w", err)
	}
	return epoch, nil
}

func raiseEpoch(ctx context.Context, tx pgx.Tx, organization uuid.UUID) (epoch int64, err error) {
	const raise = `UPDATE policy_epoch SET epoch = GREATEST(epoch + 1, $2) WHERE organization_id = $1 RETURNING epoch`
	if err := tx.QueryRow(ctx, raise, organization, time.Now().Unix()).Scan(&epoch); err != nil {
		return 0, fmt.Errorf("raise epoch: %w", err)
	}
	return epoch, nil
}

// latestRelease of the draft's track is the zero Release where there is none in this
// epoch: what was released before a restore must be released again.
func latestRelease(ctx context.Context, tx pgx.Tx, draft Draft) (Release, error) {
	const query = `
		SELECT epoch, version, root, release, signature, signing_key_id, believed_key_ids FROM release
		WHERE organization_id = $1 AND gateway_id = $2 AND track = $3
			AND epoch = (SELECT epoch FROM policy_epoch WHERE organization_id = $1)
		ORDER BY version DESC LIMIT 1`
	r := Release{Signed: &policyv1.SignedRelease{}}
	err := tx.QueryRow(ctx, query, draft.OrganizationID, draft.GatewayID, draft.Track).Scan(
		&r.Epoch, &r.Version, &r.Root, &r.Signed.Release, &r.Signed.Signature, &r.Signed.SigningKeyId, &r.Believed)
	if errors.Is(err, pgx.ErrNoRows) {
		return Release{}, nil
	}
	if err != nil {
		return Release{}, fmt.Errorf("read latest release: %w", err)
	}
	return r, nil
}

func insertRelease(ctx context.Context, tx pgx.Tx, draft Draft, r Release) error {
	const insert = `
		INSERT INTO release (organization_id, gateway_id, track, epoch, version, root, release, signature, signing_key_id, believed_key_ids)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	_, err := tx.Exec(ctx, insert, draft.OrganizationID, draft.GatewayID, draft.Track, r.Epoch, r.Version, r.Root,
		r.Signed.GetRelease(), r.Signed.GetSignature(), r.Signed.GetSigningKeyId(), r.Believed)
	if err != nil {
		return fmt.Errorf("store release: %w", err)
	}
	return nil
}
