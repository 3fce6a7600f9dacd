package readmodel

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/policy"
)

var _ fleet.Policies = (*Store)(nil)

// PolicyState returns all that a compile of the gateway's policy reads, or what of it
// changed, at one instant. Keys revoked policy.RevokedFor ago are left out, or linger.
// NotFound where the organization has no such gateway.
func (s *Store) PolicyState(ctx context.Context, q fleet.PolicyQuery) (policy.State, error) {
	state := policy.State{OrganizationID: q.OrganizationID}
	err := s.Snapshot(ctx, q.OrganizationID, func(v View) (err error) {
		standing, err := StandingOf(ctx, v)
		if err != nil {
			return err
		}
		state.Version, state.Frozen = standing.Head, standing.Suspended
		if state.Gateway, err = Gateways.Find(ctx, v, q.GatewayID); err != nil {
			return err
		}
		if state.Usage, state.Pricing, err = settingsOf(ctx, v); err != nil {
			return err
		}
		if state.Stage, err = StageOf(ctx, v, state.Gateway); err != nil {
			return err
		}
		if state.Lingering, err = lingeringKeys(ctx, v, q.GatewayID); err != nil {
			return err
		}
		touched, some, err := touchedSince(ctx, v, q.Since, state.Version)
		if err != nil {
			return err
		}
		if some && q.ConfigurationVersion == 0 && reachesAll(state.Gateway, q.Since) {
			state.Since = q.Since
			return errors.Join(readTouched(ctx, v, &state, touched), readPrices(ctx, v, &state))
		}
		if err := readConfiguration(ctx, v, q, &state); err != nil {
			return err
		}
		if err := errors.Join(readQuotas(ctx, v, &state), readProjects(ctx, v, &state)); err != nil {
			return err
		}
		state.Keys, err = policyKeys(ctx, v, nil)
		return err
	})
	if err != nil {
		return policy.State{}, fmt.Errorf("read policy state of gateway %s: %w", q.GatewayID, err)
	}
	return state, nil
}

// settingsOf are the defaults of an organization that is archived.
func settingsOf(ctx context.Context, v View) (organization.Usage, organization.Pricing, error) {
	o, err := Organizations.Find(ctx, v, v.Organization)
	if fault.Is(err, fault.NotFound) {
		return organization.Usage{}, organization.Pricing{}, nil
	}
	return o.Usage, o.Pricing, err
}

// reachesAll tells whether the gateway sends to every region, and did at the version:
// else what becomes of a route follows from its providers, too.
func reachesAll(g gateway.Gateway, since int64) bool {
	return len(g.AllowedRegions) == 0 && g.Version <= since
}

// readConfiguration reads what is staged, as it was at the query's version. What a
// credential is sealed as is never of the past, nor are regions that were taken away since,
// be it from the gateway or from a provider.
func readConfiguration(ctx context.Context, v View, q fleet.PolicyQuery, state *policy.State) (err error) {
	at := v
	at.AsOf, state.ConfigurationVersion = q.ConfigurationVersion, q.ConfigurationVersion
	if at.AsOf > 0 {
		state.RegionsNow = state.Gateway.AllowedRegions
		if state.Gateway, err = Gateways.Find(ctx, at, q.GatewayID); err != nil {
			return err
		}
	}
	if state.Providers, err = Providers.All(ctx, at); err != nil {
		return err
	}
	if state.Routes, err = Routes.All(ctx, at); err != nil {
		return err
	}
	if err := readPrices(ctx, at, state); err != nil || at.AsOf == 0 {
		return err
	}
	if state.ProvidersNow, err = Providers.All(ctx, v); err != nil {
		return err
	}
	state.Providers = policy.WithCredentialsOf(state.Providers, state.ProvidersNow)
	return nil
}

// readPrices reads the overrides where they changed since the state's Since.
func readPrices(ctx context.Context, v View, state *policy.State) (err error) {
	if state.PriceOverridesVersion, err = PriceOverridesVersion(ctx, v); err != nil {
		return err
	}
	if state.Since == 0 || state.PriceOverridesVersion > state.Since {
		state.PriceOverrides, err = PriceOverrides.All(ctx, v)
	}
	return err
}

// policyKeys are those with these ids; nil: all.
func policyKeys(ctx context.Context, v View, ids []uuid.UUID) ([]key.Key, error) {
	// The newest row of a key is the one that is true now, or the last before it was
	// archived; a revoked key stays revoked when it is out of lists.
	const query = `SELECT state::text FROM key WHERE organization_id = $1 AND valid_to IS NULL AND revoked_at IS NULL%[1]s
		UNION ALL SELECT * FROM (
			SELECT DISTINCT ON (id) state::text FROM key WHERE organization_id = $1 AND revoked_at > now() - $2::interval%[1]s
			ORDER BY id, valid_from DESC) revoked`
	among, args := "", []any{v.Organization, policy.RevokedFor}
	if ids != nil {
		among, args = " AND id = ANY($3)", append(args, ids)
	}
	rows, err := v.Tx.Query(ctx, fmt.Sprintf(query, among), args...)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	return pgx.CollectRows(rows, fromState[key.Key])
}

// lingeringKeys are those revoked policy.RevokedFor ago that an agent of the gateway may
// still have living on its disk: not every one that is not revoked reported that all it
// stores was released since, in the present epoch. An agent that never said what it
// stores may store anything.
func lingeringKeys(ctx context.Context, v View, gatewayID uuid.UUID) ([]key.Key, error) {
	const query = `WITH stored AS (
			SELECT min(CASE WHEN s.oldest_epoch = e.epoch THEN coalesce(s.oldest_version, 0) ELSE 0 END) AS oldest
			FROM agent a
			LEFT JOIN agent_status s ON s.organization_id = a.organization_id AND s.agent_id = a.id
			LEFT JOIN policy_epoch e ON e.organization_id = a.organization_id
			WHERE a.organization_id = $1 AND a.gateway_id = $2 AND a.valid_to IS NULL AND a.revoked_at IS NULL)
		SELECT DISTINCT ON (id) state::text FROM key, stored
		WHERE organization_id = $1 AND revoked_at <= now() - $3::interval
			AND (state ->> 'revoked_version')::bigint > stored.oldest
		ORDER BY id, valid_from DESC`
	rows, err := v.Tx.Query(ctx, query, v.Organization, gatewayID, policy.RevokedFor)
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
