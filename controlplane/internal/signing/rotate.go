package signing

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// Announce makes the key that will sign next. Releases carry it from now on, still
// signed by the active key. Said again before it took over, it announces no other.
func (k *Keys) Announce(ctx context.Context, organization uuid.UUID) (id string, err error) {
	if _, err := k.Current(ctx, organization); err != nil { // there is an active one to follow
		return "", err
	}
	key, err := k.generate(organization)
	if err != nil {
		return "", err
	}
	err = k.table.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, insertKey, organization, key.id, key.publicKey, true, key.wrapped.KeyID, key.wrapped.Bytes)
		if err != nil {
			return fmt.Errorf("store: %w", err)
		}
		keys, err := currentIn(ctx, tx, organization)
		if err != nil {
			return err
		}
		id = keys[len(keys)-1].id
		return wake(ctx, tx, organization)
	})
	if err != nil {
		return "", fmt.Errorf("announce signing key of organization %s: %w", organization, err)
	}
	return id, nil
}

// wake makes those who follow the organization's log look again: releases are to
// be signed anew, though no version changed.
func wake(ctx context.Context, tx pgx.Tx, organization uuid.UUID) error {
	_, err := tx.Exec(ctx, `UPDATE organization_head SET changed_by = pg_current_xact_id() WHERE organization_id = $1`, organization)
	if err != nil {
		return fmt.Errorf("wake followers: %w", err)
	}
	return nil
}

// Lagging is an agent that does not know the announced key, as far as it reported.
type Lagging struct {
	AgentID uuid.UUID
	Name    string
	// LastSeenAt is zero for an agent that never reported.
	LastSeenAt time.Time
}

// Retire lets the announced key take over. The one that signed until now is
// believed no more, and its private half is erased. While agents lag it refuses,
// unless forced: those must be enrolled anew, or put back online before.
func (k *Keys) Retire(ctx context.Context, organization uuid.UUID, force bool) (active string, lagging []Lagging, err error) {
	err = k.table.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		keys, err := currentIn(ctx, tx, organization)
		if err != nil {
			return err
		}
		if len(keys) < 2 {
			return fault.Because(fault.Precondition, "nothing_announced",
				"no key is announced: run `keys rotate-signing` first and let the agents learn the new key")
		}
		active = keys[1].id
		if lagging, err = laggingIn(ctx, tx, organization, active); err != nil || len(lagging) > 0 && !force {
			return err
		}
		return takeOver(ctx, tx, organization, keys[0].id, active)
	})
	if err != nil {
		return "", nil, fmt.Errorf("retire signing key of organization %s: %w", organization, err)
	}
	return active, lagging, nil
}

func takeOver(ctx context.Context, tx pgx.Tx, organization uuid.UUID, old, next string) error {
	const retire = `UPDATE signing_key SET retired_at = now(), wrapped = '' WHERE organization_id = $1 AND id = $2`
	const activate = `UPDATE signing_key SET announced = false WHERE organization_id = $1 AND id = $2`
	if _, err := tx.Exec(ctx, retire, organization, old); err != nil {
		return fmt.Errorf("retire %s: %w", old, err)
	}
	if _, err := tx.Exec(ctx, activate, organization, next); err != nil {
		return fmt.Errorf("activate %s: %w", next, err)
	}
	return wake(ctx, tx, organization)
}

// laggingIn lists the agents that are not revoked and did not report to hold, without objection, a
// release that carries the key. Each track of the gateway may have a release of that version, and
// nobody knows which one an agent meant: all of them must carry it.
func laggingIn(ctx context.Context, tx pgx.Tx, organization uuid.UUID, id string) ([]Lagging, error) {
	const query = `
		SELECT a.id, a.name, coalesce(s.last_seen_at, 'epoch'::timestamptz) FROM agent a
		LEFT JOIN agent_status s ON s.organization_id = a.organization_id AND s.agent_id = a.id
		CROSS JOIN LATERAL (
			SELECT coalesce(bool_and($2 = ANY(r.believed_key_ids) AND s.reject_reasons = '{}'), false) AS it FROM release r
			WHERE r.organization_id = a.organization_id AND r.gateway_id = a.gateway_id
			  AND r.epoch = s.policy_epoch AND r.version = s.policy_version) knows
		WHERE a.organization_id = $1 AND a.valid_to IS NULL AND a.revoked_at IS NULL AND NOT knows.it
		ORDER BY a.name, a.id`
	rows, err := tx.Query(ctx, query, organization, id)
	if err != nil {
		return nil, fmt.Errorf("find agents without %s: %w", id, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Lagging])
	if err != nil {
		return nil, fmt.Errorf("find agents without %s: %w", id, err)
	}
	for i := range found {
		if found[i].LastSeenAt.Unix() == 0 {
			found[i].LastSeenAt = time.Time{}
		}
	}
	return found, nil
}
