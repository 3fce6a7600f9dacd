package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
)

const (
	agentCacheTime = 10 * time.Second
	agentCacheSize = 20_000
)

// agentCache spares the store a look-up for each report of a known agent.
type agentCache struct {
	agents Agents

	mu    sync.Mutex
	known map[uuid.UUID]cachedAgent
}

type cachedAgent struct {
	agent   gateway.Agent
	expires time.Time
}

func newAgentCache(agents Agents) *agentCache {
	return &agentCache{agents: agents, known: make(map[uuid.UUID]cachedAgent)}
}

func (c *agentCache) find(ctx context.Context, id uuid.UUID) (gateway.Agent, error) {
	c.mu.Lock()
	cached, ok := c.known[id]
	c.mu.Unlock()
	if ok && time.Now().Before(cached.expires) {
		return cached.agent, nil
	}
	agent, err := c.agents.Agent(ctx, id)
	if err != nil {
		return gateway.Agent{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= agentCacheSize {
		clear(c.known)
	}
	c.known[id] = cachedAgent{agent: agent, expires: time.Now().Add(agentCacheTime)}
	return agent, nil
}
