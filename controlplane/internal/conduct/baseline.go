package conduct

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var _ pglog.Part = NoteBaselines

// NoteBaselines is the log's part that keeps how agents were before a rollout reached
// them. From each event that gives them a candidate, or another chance, they are judged
// anew; what they were like before it all stays.
func NoteBaselines(_ context.Context, _ pgx.Tx, batch *pgx.Batch, recorded []eventlog.Event) error {
	for _, e := range recorded {
		switch body := e.Body.(type) {
		case *eventv1.RolloutStarted:
			noteAgents(batch, e, body.GetAgentIds())
		case *eventv1.RolloutRestarted:
			judgeAnew(batch, e)
			noteAgents(batch, e, body.GetAgentIds())
		case *eventv1.RolloutAdvanced:
			judgeAnew(batch, e)
			noteAgents(batch, e, body.GetAgentIds())
		case *eventv1.RolloutResumed:
			judgeAnew(batch, e)
		}
	}
	return nil
}

func noteAgents(batch *pgx.Batch, e eventlog.Event, agents []string) {
	const note = `
		INSERT INTO rollout_baseline (organization_id, rollout_id, agent_id, requests, failures, rejected)
		SELECT $1, $2, chosen.id, coalesce(s.requests, 0), coalesce(s.failures, 0), coalesce(s.policies_rejected, 0)
		FROM unnest($3::uuid[]) AS chosen (id) LEFT JOIN agent_status s ON s.organization_id = $1 AND s.agent_id = chosen.id
		ON CONFLICT DO NOTHING`
	batch.Queue(note, e.OrganizationID, e.Subject, agents)
}

func judgeAnew(batch *pgx.Batch, e eventlog.Event) {
	const anew = `
		UPDATE rollout_baseline b SET applied_at = NULL, rejected = coalesce(
			(SELECT policies_rejected FROM agent_status s WHERE s.organization_id = $1 AND s.agent_id = b.agent_id), 0)
		WHERE b.organization_id = $1 AND b.rollout_id = $2`
	batch.Queue(anew, e.OrganizationID, e.Subject)
}

// noteApplied notes which agents have the candidate by now, and from which of their
// requests on: those in between were served under the policy before.
func (c *Conductor) noteApplied(ctx context.Context, at readmodel.Staged) error {
	const note = `
		UPDATE rollout_baseline b SET applied_at = $3, since_requests = s.requests, since_failures = s.failures
		FROM agent_status s, rollout r
		WHERE r.organization_id = $1 AND r.gateway_id = $2 AND r.valid_to IS NULL AND s.agent_id = ANY(r.candidates)
			AND b.organization_id = $1 AND b.rollout_id = r.id AND b.agent_id = s.agent_id AND b.applied_at IS NULL
			AND s.organization_id = $1 AND s.policy_version >= (r.state ->> 'candidate_since')::bigint
			AND s.policy_epoch = (SELECT epoch FROM policy_epoch WHERE organization_id = $1)`
	err := c.Store.Write(ctx, at.OrganizationID, func(v readmodel.View) error {
		_, err := v.Tx.Exec(ctx, note, at.OrganizationID, at.GatewayID, time.Now())
		return err
	})
	if err != nil {
		return fmt.Errorf("note which agents of gateway %s have the candidate: %w", at.GatewayID, err)
	}
	return nil
}
