package ingest

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
)

const (
	rememberAgent   = time.Minute
	rememberUnknown = 2 * time.Second
	maxRemembered   = 100_000
)

// agents remembers what the registry said, the absence of an agent only shortly.
type agents struct {
	registry Registry
	now      func() time.Time

	mu    sync.Mutex
	known map[uuid.UUID]remembered
}

type remembered struct {
	agent gateway.Agent
	err   error
	until time.Time
}

func newAgents(registry Registry, now func() time.Time) *agents {
	return &agents{registry: registry, now: now, known: map[uuid.UUID]remembered{}}
}

// agent returns errUnknownAgent for one that the registry does not know, and any
// other error for an outage.
func (a *agents) agent(ctx context.Context, id uuid.UUID) (gateway.Agent, error) {
	if r, ok := a.recall(id); ok {
		return r.agent, r.err
	}
	found, err := a.registry.Agent(ctx, id)
	r := remembered{agent: found, until: a.now().Add(rememberAgent)}
	switch {
	case fault.Is(err, fault.NotFound):
		r.err, r.until = errUnknownAgent, a.now().Add(rememberUnknown)
	case err != nil:
		return gateway.Agent{}, outageError{fmt.Errorf("ask for agent %s: %w", id, err)}
	case len(found.PublicKey) != ed25519.PublicKeySize:
		return gateway.Agent{}, outageError{fmt.Errorf("agent %s has a key of %d bytes", id, len(found.PublicKey))}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxRemembered {
		clear(a.known)
	}
	a.known[id] = r
	return r.agent, r.err
}

func (a *agents) recall(id uuid.UUID) (remembered, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.known[id]
	return r, ok && a.now().Before(r.until)
}
