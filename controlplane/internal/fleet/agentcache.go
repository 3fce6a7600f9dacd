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
	// ended agents were revoked, for ever; what the store said before may be older.
	ended map[uuid.UUID]gateway.Agent
}

type cachedAgent struct {
	agent   gateway.Agent
	expires time.Time
}

func newAgentCache(agents Agents) *agentCache {
	return &agentCache{agents: agents, known: make(map[uuid.UUID]cachedAgent), ended: make(map[uuid.UUID]gateway.Agent)}
}

func (c *agentCache) find(ctx context.Context, id uuid.UUID) (gateway.Agent, error) {
	if agent, ok := c.recall(id); ok {
		return agent, nil
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

func (c *agentCache) recall(id uuid.UUID) (gateway.Agent, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if agent, ok := c.ended[id]; ok {
		return agent, true
	}
	cached, ok := c.known[id]
	return cached.agent, ok && time.Now().Before(cached.expires)
}

// end has these revoked agents found as they are, however often the store is asked.
func (c *agentCache) end(agents []gateway.Agent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range agents {
		c.ended[a.ID] = a
		delete(c.known, a.ID)
	}
}
