package conduct

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rollout"
)

// Scene is all that decisions about a gateway's rollout are made from.
type Scene struct {
	Gateway gateway.Gateway
	Stage   rollout.Stage
	Look    rollout.Look
}

// See reads the scene; NotFound where there is no such gateway.
func See(ctx context.Context, v readmodel.View, gatewayID uuid.UUID) (scene Scene, err error) {
	if scene.Gateway, err = readmodel.Gateways.Find(ctx, v, gatewayID); err != nil {
		return scene, err
	}
	if scene.Stage, err = readmodel.StageOf(ctx, v, scene.Gateway); err != nil {
		return scene, err
	}
	versions, err := readmodel.ConfigurationVersions(ctx, v, []gateway.Gateway{scene.Gateway})
	if err != nil {
		return scene, err
	}
	scene.Look = rollout.Look{Now: time.Now(), Configuration: versions[gatewayID]}
	var open uuid.UUID
	if r := scene.Stage.Open(); r != nil {
		open = r.ID
	}
	scene.Look.Agents, err = agents(ctx, v, gatewayID, open)
	return scene, err
}

// agents are the living ones of the gateway, by id, with their baselines in a rollout.
func agents(ctx context.Context, v readmodel.View, gatewayID, rolloutID uuid.UUID) ([]rollout.Agent, error) {
	const query = `
		SELECT a.id, a.name, s.last_seen_at, coalesce(s.policies_rejected, 0), coalesce(s.reject_reasons, '{}'),
			coalesce(s.requests, 0), coalesce(s.failures, 0),
			b.requests, b.failures, b.rejected, b.applied_at, b.since_requests, b.since_failures
		FROM agent a
		LEFT JOIN agent_status s ON s.organization_id = a.organization_id AND s.agent_id = a.id
		LEFT JOIN rollout_baseline b ON b.organization_id = a.organization_id AND b.agent_id = a.id AND b.rollout_id = $3
		WHERE a.organization_id = $1 AND a.gateway_id = $2 AND a.valid_to IS NULL AND a.revoked_at IS NULL
		ORDER BY a.id`
	rows, err := v.Tx.Query(ctx, query, v.Organization, gatewayID, rolloutID)
	if err != nil {
		return nil, fmt.Errorf("read agents of gateway %s: %w", gatewayID, err)
	}
	found, err := pgx.CollectRows(rows, fromRow)
	if err != nil {
		return nil, fmt.Errorf("read agents of gateway %s: %w", gatewayID, err)
	}
	return found, nil
}

func fromRow(row pgx.CollectableRow) (a rollout.Agent, err error) {
	var seen, applied *time.Time
	var requests, failures, rejected, sinceRequests, sinceFailures *int64
	err = row.Scan(&a.ID, &a.Name, &seen, &a.Rejected, &a.Reasons, &a.Requests, &a.Failures,
		&requests, &failures, &rejected, &applied, &sinceRequests, &sinceFailures)
	if seen != nil {
		a.SeenAt = *seen
	}
	if err != nil || requests == nil {
		return a, err
	}
	a.Baseline = &rollout.Baseline{
		Before: rollout.Counters{Requests: *requests, Failures: *failures}, Rejected: *rejected,
		Since: rollout.Counters{Requests: *sinceRequests, Failures: *sinceFailures},
	}
	if applied != nil {
		a.Baseline.AppliedAt = *applied
	}
	return a, nil
}
