package relay

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
)

// maxRegions is how many gateways' regions are remembered.
const maxRegions = 100_000

// regions keeps usage where its gateway's lives, and nowhere else.
type regions struct {
	registry Registry
	own      string // empty: all

	mu    sync.Mutex
	known map[uuid.UUID]string // they never change
}

func newRegions(registry Registry, own string) *regions {
	return &regions{registry: registry, own: own, known: map[uuid.UUID]string{}}
}

// check returns a Precondition fault about an agent whose gateway is in another region.
func (r *regions) check(ctx context.Context, agent gateway.Agent) error {
	if r.own == "" {
		return nil
	}
	region, err := r.of(ctx, agent)
	if err != nil {
		return unknown(err)
	}
	if region != r.own {
		return fault.Because(fault.Precondition, "other_region",
			"the gateway of agent %s is in region %q, and this relay writes to the broker of region %q: set WEIR_RELAY_URL of the agent to the relay of its own region", agent.ID, region, r.own)
	}
	return nil
}

func (r *regions) of(ctx context.Context, agent gateway.Agent) (string, error) {
	r.mu.Lock()
	region, ok := r.known[agent.GatewayID]
	r.mu.Unlock()
	if ok {
		return region, nil
	}
	region, err := r.registry.GatewayRegion(ctx, agent.OrganizationID, agent.GatewayID)
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known) >= maxRegions {
		clear(r.known)
	}
	r.known[agent.GatewayID] = region
	return region, nil
}
