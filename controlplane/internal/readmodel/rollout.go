package readmodel

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/rollout"
)

// Rollouts are those of gateways, and goings back; what is over stays in lists.
var Rollouts = &Table[rollout.Rollout]{
	name: "rollout", thing: "rollout", fields: rolloutFields, apply: rollout.Apply,
	begins: "RolloutStarted", alsoBegins: "GatewayWentBack",
	changes: map[string]func(proto.Message) string{
		"RolloutRestarted": nil, "RolloutAdvanced": nil, "RolloutHeld": nil, "RolloutResumed": nil, "RolloutFinished": nil,
		"RolloutAbandoned": nil, "GatewayWentForward": nil,
	},
	columns: []string{"gateway_id", "started", "stable_since", "candidates"},
	values: func(r rollout.Rollout) []any {
		return []any{r.GatewayID, r.Started, r.StableSince, append([]uuid.UUID{}, r.Agents...)}
	},
}

// StagesOf returns what the agents of these gateways are to have, by gateway. A view of
// the past has the stages of then.
func StagesOf(ctx context.Context, v View, gateways []gateway.Gateway) (map[uuid.UUID]rollout.Stage, error) {
	ids := make([]uuid.UUID, 0, len(gateways))
	for _, g := range gateways {
		ids = append(ids, g.ID)
	}
	where, args := v.where([]Match{{Column: "gateway_id", Value: ids}})
	rows, err := v.Tx.Query(ctx, `SELECT DISTINCT ON (gateway_id) gateway_id, state::text, max(stable_since) OVER (PARTITION BY gateway_id)
		FROM rollout`+where+` ORDER BY gateway_id, started DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("read rollouts: %w", err)
	}
	last, floors := map[uuid.UUID]*rollout.Rollout{}, map[uuid.UUID]int64{}
	var id uuid.UUID
	var state string
	var floor int64
	_, err = pgx.ForEachRow(rows, []any{&id, &state, &floor}, func() error {
		last[id], floors[id] = &rollout.Rollout{}, floor
		return json.Unmarshal([]byte(state), last[id])
	})
	if err != nil {
		return nil, fmt.Errorf("read rollouts: %w", err)
	}
	stages := make(map[uuid.UUID]rollout.Stage, len(gateways))
	for _, g := range gateways {
		stages[g.ID] = rollout.NewStage(g.Rollout, g.StagedSince, last[g.ID], floors[g.ID])
	}
	return stages, nil
}

// StageOf returns what the agents of a gateway are to have.
func StageOf(ctx context.Context, v View, g gateway.Gateway) (rollout.Stage, error) {
	stages, err := StagesOf(ctx, v, []gateway.Gateway{g})
	return stages[g.ID], err
}

// What is staged, by the events that change it: of every gateway, and of one.
var (
	stagedKinds        = slices.Concat(Providers.kinds(), Routes.kinds(), PriceOverrides.kinds())
	stagedGatewayKinds = []string{"GatewayCreated", "GatewayUpdated", "GatewayRestored"}
)

// ConfigurationVersions returns, by gateway, the version of the newest change of what
// is staged for it: providers, routes, prices, and its own settings. Keys are not.
func ConfigurationVersions(ctx context.Context, v View, gateways []gateway.Gateway) (map[uuid.UUID]int64, error) {
	const query = `
		SELECT wanted.id, greatest(
			(SELECT max(newest.version) FROM unnest($3::text[]) AS staged (kind) CROSS JOIN LATERAL (
				SELECT max(version) AS version FROM event WHERE organization_id = $1 AND kind = staged.kind AND version <= $2) newest),
			(SELECT max(version) FROM event
				WHERE organization_id = $1 AND subject = wanted.id AND kind = ANY($4) AND version <= $2))
		FROM unnest($5::uuid[]) AS wanted (id)`
	ids := make([]uuid.UUID, 0, len(gateways))
	for _, g := range gateways {
		ids = append(ids, g.ID)
	}
	rows, err := v.Tx.Query(ctx, query, v.Organization, v.latest(), stagedKinds, stagedGatewayKinds, ids)
	if err != nil {
		return nil, fmt.Errorf("read versions of configuration: %w", err)
	}
	versions := make(map[uuid.UUID]int64, len(ids))
	var id uuid.UUID
	var version int64
	_, err = pgx.ForEachRow(rows, []any{&id, &version}, func() error {
		versions[id] = version
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read versions of configuration: %w", err)
	}
	return versions, nil
}

// latest is the newest version that the view may see.
func (v View) latest() int64 {
	if v.AsOf > 0 {
		return v.AsOf
	}
	return math.MaxInt64
}

// Staged is a gateway of some organization.
type Staged struct{ OrganizationID, GatewayID uuid.UUID }

// StagedGateways returns those of every organization whose changes come step by step.
func (s *Store) StagedGateways(ctx context.Context) (found []Staged, err error) {
	const query = `SELECT g.organization_id, g.id FROM gateway g
		JOIN organization o ON o.organization_id = g.organization_id AND o.valid_to IS NULL AND o.suspended_at IS NULL
		WHERE g.valid_to IS NULL AND g.staged`
	err = s.db.System(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Staged])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find staged gateways: %w", err)
	}
	return found, nil
}
