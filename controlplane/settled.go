package controlplane

import (
	"context"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/ingest"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// settled tells the fleet what ingest has settled.
type settled struct{ db *postgres.DB }

var _ fleet.Settled = settled{}

func (s settled) SettledFor(ctx context.Context, agents []string) (map[string][]*agentv1.SettledRange, error) {
	return ingest.Settled(ctx, s.db, agents)
}
