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
// instant. Keys revoked more than 90 days ago are left out. NotFound where the
// organization has no such gateway.
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
		state.Keys, err = policyKeys(ctx, v)
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

// Gateways returns the organization's gateways, by id.
func (s *Store) Gateways(ctx context.Context, organization uuid.UUID) ([]gateway.Gateway, error) {
	var found []gateway.Gateway
	err := s.Read(ctx, organization, func(v View) (err error) {
		found, err = Gateways.All(ctx, v)
		return err
	})
	return found, err
}
