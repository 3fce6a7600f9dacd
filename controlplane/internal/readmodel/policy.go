package readmodel

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/policy"
)

// PolicyState returns all that a compile of the gateway's policy reads, at one
// instant. Keys revoked more than 90 days ago are left out, or linger. NotFound
// where the organization has no such gateway.
func (s *Store) PolicyState(ctx context.Context, organization, gatewayID uuid.UUID) (policy.State, error) {
	state := policy.State{OrganizationID: organization}
	err := s.Snapshot(ctx, organization, func(v View) (err error) {
		standing, err := StandingOf(ctx, v)
		if err != nil {
			return err
		}
		state.Version, state.Frozen = standing.Head, standing.Suspended
		if state.Gateway, err = Gateways.Find(ctx, v, gatewayID); err != nil {
			return err
		}
		if state.Providers, err = Providers.All(ctx, v); err != nil {
			return err
		}
		if state.Routes, err = Routes.All(ctx, v); err != nil {
			return err
		}
		if state.PriceOverrides, err = PriceOverrides.All(ctx, v); err != nil {
			return err
		}
		if state.PriceOverridesVersion, err = PriceOverridesVersion(ctx, v); err != nil {
			return err
		}
		if state.Keys, err = policyKeys(ctx, v); err != nil {
			return err
		}
		state.Lingering, err = lingeringKeys(ctx, v, gatewayID)
		return err
	})
	if err != nil {
		return policy.State{}, fmt.Errorf("read policy state of gateway %s: %w", gatewayID, err)
	}
	return state, nil
}

func policyKeys(ctx context.Context, v View) ([]key.Key, error) {
	// The newest row of a key is the one that is true now, or the last before it was
	// archived; a revoked key stays revoked when it is out of lists.
	const query = `SELECT state::text FROM key WHERE organization_id = $1 AND valid_to IS NULL AND revoked_at IS NULL
		UNION ALL SELECT * FROM (
			SELECT DISTINCT ON (id) state::text FROM key WHERE organization_id = $1 AND revoked_at > now() - interval '90 days'
			ORDER BY id, valid_from DESC) revoked`
	rows, err := v.Tx.Query(ctx, query, v.Organization)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return pgx.CollectRows(rows, fromState[key.Key])
}

// lingeringKeys are those revoked more than 90 days ago that an agent of the gateway
// may still have living on its disk: not every one that is not revoked reported
// that all it stores was released since, in the present epoch. An agent that never said
// what it stores may store anything.
func lingeringKeys(ctx context.Context, v View, gatewayID uuid.UUID) ([]key.Key, error) {
	const query = `WITH stored AS (
			SELECT min(CASE WHEN s.oldest_epoch = e.epoch THEN coalesce(s.oldest_version, 0) ELSE 0 END) AS oldest
			FROM agent a
			LEFT JOIN agent_status s ON s.organization_id = a.organization_id AND s.agent_id = a.id
			LEFT JOIN policy_epoch e ON e.organization_id = a.organization_id
			WHERE a.organization_id = $1 AND a.gateway_id = $2 AND a.valid_to IS NULL AND a.revoked_at IS NULL)
		SELECT DISTINCT ON (id) state::text FROM key, stored
		WHERE organization_id = $1 AND revoked_at <= now() - interval '90 days'
			AND (state ->> 'revoked_version')::bigint > stored.oldest
		ORDER BY id, valid_from DESC`
	rows, err := v.Tx.Query(ctx, query, v.Organization, gatewayID)
	if err != nil {
		return nil, fmt.Errorf("read keys revoked long ago: %w", err)
	}
	return pgx.CollectRows(rows, fromState[key.Key])
}

// Gateways returns the organization's gateways, by id.
func (s *Store) Gateways(ctx context.Context, organization uuid.UUID) ([]gateway.Gateway, error) {
	var found []gateway.Gateway
	err := s.Read(ctx, organization, func(v View) (err error) {
		found, err = Gateways.All(ctx, v)
		return err
	})
	return found, err
}
