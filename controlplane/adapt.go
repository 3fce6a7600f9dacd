package controlplane

import (
	"context"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/ingest"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/rpc"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// agentStatuses lets the admin API show what the fleet keeps.
type agentStatuses struct{ reports *fleet.ReportTable }

var _ rpc.AgentStatuses = agentStatuses{}

func (a agentStatuses) Statuses(ctx context.Context, organization uuid.UUID, agents []uuid.UUID) (map[uuid.UUID]rpc.AgentStatus, error) {
	found, err := a.reports.Statuses(ctx, organization, agents)
	statuses := make(map[uuid.UUID]rpc.AgentStatus, len(found))
	for id, status := range found {
		statuses[id] = rpc.AgentStatus(status)
	}
	return statuses, err
}

// settled tells the fleet what ingest has settled.
type settled struct{ db *postgres.DB }

var _ fleet.Settled = settled{}

func (s settled) SettledFor(ctx context.Context, agents []string) (map[string][]*agentv1.SettledRange, error) {
	return ingest.Settled(ctx, s.db, agents)
}
