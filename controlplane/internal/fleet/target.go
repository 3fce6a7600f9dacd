package fleet

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// maxExpected bounds what an agent says that it expects of a target.
const maxExpected = 24 * time.Hour

// Target is how one model of a provider does, as an agent's own requests found it.
type Target struct {
	ProviderID string                     `json:"provider_id"`
	Model      string                     `json:"model"`
	State      agentv1.TargetStatus_State `json:"state"`
	// Reason why the state is not CLOSED.
	Reason string `json:"reason,omitempty"`
	// Since when the state has been so.
	Since time.Time `json:"since"`
	// TimeToFirstTokenUS and TimePerTokenUS are expected, in microseconds; 0: not known.
	TimeToFirstTokenUS int64 `json:"time_to_first_token_us,omitempty"`
	TimePerTokenUS     int64 `json:"time_per_token_us,omitempty"`
	InFlight           int64 `json:"in_flight,omitempty"`
}

// Targets is what an agent last said of them, as it is stored.
type Targets struct {
	SaidAt time.Time `json:"said_at"`
	// Targets in the agent's order: those first that are not CLOSED.
	Targets []Target `json:"targets"`
	// LeftOut is how many found no room in the report.
	LeftOut int64 `json:"left_out,omitempty"`
}

// fromProtoTargets is nil where the report says nothing of them.
func fromProtoTargets(r *agentv1.TargetReport, now time.Time) *Targets {
	if r == nil {
		return nil
	}
	targets := &Targets{SaidAt: now, Targets: make([]Target, 0, len(r.GetTargets())), LeftOut: int64(r.GetLeftOut())}
	seen := make(map[[2]string]bool, len(r.GetTargets()))
	for _, t := range r.GetTargets() {
		target := Target{
			ProviderID: storable(t.GetProviderId()), Model: storable(t.GetModel()), State: t.GetState(), Since: ago(now, t.GetSinceMs()),
			TimeToFirstTokenUS: expected(t.GetTimeToFirstTokenUs()), TimePerTokenUS: expected(t.GetTimePerTokenUs()),
			InFlight: min(t.GetInFlight(), math.MaxInt32),
		}
		if t.GetState() != agentv1.TargetStatus_STATE_CLOSED {
			target.Reason = storable(t.GetReason())
		}
		if key := [2]string{target.ProviderID, target.Model}; !seen[key] {
			seen[key] = true
			targets.Targets = append(targets.Targets, target)
		}
	}
	return targets
}

func expected(us int64) int64 { return min(us, maxExpected.Microseconds()) }

// AgentTarget is one target of one agent.
type AgentTarget struct {
	AgentID uuid.UUID
	SaidAt  time.Time
	Target  Target
}

// TargetPage is what some agents said of targets.
type TargetPage struct {
	Targets []AgentTarget
	// Found counts those that there are, the ones of Targets among them; Unreported those
	// that the agents had no room for.
	Found, Unreported int64
}

// What is asked for is picked there: an agent may have said a thousand. Worst first, then
// the busiest.
const readTargets = `
	WITH said AS (
		SELECT agent_id, targets FROM agent_status
		WHERE organization_id = $1 AND agent_id = ANY($2) AND targets ? 'said_at'),
	each AS (
		SELECT said.agent_id, (said.targets ->> 'said_at')::timestamptz AS said_at, one.target
		FROM said CROSS JOIN LATERAL jsonb_array_elements(said.targets -> 'targets') AS one (target)
		WHERE ($3 = '' OR one.target ->> 'provider_id' = $3) AND (one.target ->> 'state')::int IS DISTINCT FROM $6::int)
	SELECT agent_id, said_at, target, count(*) OVER () FROM each
	ORDER BY array_position($4::int[], (target ->> 'state')::int), coalesce((target ->> 'in_flight')::bigint, 0) DESC,
		target ->> 'provider_id', target ->> 'model', agent_id
	LIMIT $5`

const readUnreported = `
	SELECT coalesce(sum((targets ->> 'left_out')::bigint), 0)::bigint FROM agent_status
	WHERE organization_id = $1 AND agent_id = ANY($2)`

// worstFirst orders states.
var worstFirst = []agentv1.TargetStatus_State{agentv1.TargetStatus_STATE_OPEN, agentv1.TargetStatus_STATE_HALF_OPEN, agentv1.TargetStatus_STATE_CLOSED}

// TargetFilter picks targets; the zero one takes all.
type TargetFilter struct {
	// Provider is an id; "": all.
	Provider string
	// NotClosed takes those alone that don't get all requests that are for them.
	NotClosed bool
}

func (f TargetFilter) leavesOut() *agentv1.TargetStatus_State {
	if !f.NotClosed {
		return nil
	}
	return agentv1.TargetStatus_STATE_CLOSED.Enum()
}

// Targets returns what these agents of one organization last said of the targets that a filter
// takes; at most limit of them. Agents that never said anything have none.
func (t *ReportTable) Targets(ctx context.Context, organization uuid.UUID, agents []uuid.UUID, filter TargetFilter, limit int) (page TargetPage, err error) {
	err = t.db.InOrganization(ctx, organization, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, readTargets, organization, agents, filter.Provider, worstFirst, limit, filter.leavesOut())
		if err != nil {
			return err
		}
		page.Targets, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (one AgentTarget, err error) {
			return one, row.Scan(&one.AgentID, &one.SaidAt, &one.Target, &page.Found)
		})
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, readUnreported, organization, agents).Scan(&page.Unreported)
	})
	if err != nil {
		return page, fmt.Errorf("read targets of agents: %w", err)
	}
	return page, nil
}
