package fleet

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
)

// revokedAgents are the organizations whose logs went on since somebody looked for
// revoked agents, and up to which version each was looked through.
type revokedAgents struct {
	wake chan struct{}

	mu    sync.Mutex
	dirty map[uuid.UUID]bool
	known map[uuid.UUID]int64
}

func newRevokedAgents() *revokedAgents {
	return &revokedAgents{wake: make(chan struct{}, 1), dirty: make(map[uuid.UUID]bool), known: make(map[uuid.UUID]int64)}
}

func (r *revokedAgents) changed(organizations ...uuid.UUID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range organizations {
		r.dirty[id] = true
	}
	signal(r.wake)
}

// take returns after which version to look, by organization.
func (r *revokedAgents) take() map[uuid.UUID]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	after := make(map[uuid.UUID]int64, len(r.dirty))
	for id := range r.dirty {
		after[id] = r.known[id]
	}
	clear(r.dirty)
	return after
}

func (r *revokedAgents) found(agents []gateway.Agent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range agents {
		r.known[a.OrganizationID] = max(r.known[a.OrganizationID], a.Version)
	}
}

// follow marks what every organization whose log went on may have changed.
func (h *Handler) follow(ctx context.Context) {
	heads, cancel := h.Heads.Subscribe()
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return
		case head, ok := <-heads:
			if !ok {
				return
			}
			h.revoked.changed(head.OrganizationID)
			h.hub.changed(head.OrganizationID)
		}
	}
}

// endRevoked looks for revoked agents of many organizations in one query. A call in
// flight ends with the first look after the commit, in whatever process it is.
func (h *Handler) endRevoked(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.revoked.wake:
		}
		pause := h.Timing.Revoked
		after := h.revoked.take()
		agents, err := h.Revocations.RevokedAgents(ctx, after)
		if err != nil {
			if ctx.Err() == nil {
				h.Log.Error("revoked agents are not known, those that are connected stay", "error", err)
			}
			pause = h.Timing.Retry
			h.revoked.changed(slices.Collect(maps.Keys(after))...)
		}
		h.end(agents)
		if !sleep(ctx, pause) {
			return
		}
	}
}

// end refuses the agents from now on, then ends their streams: a stream that opens
// in between asks whether it may.
func (h *Handler) end(agents []gateway.Agent) {
	if len(agents) == 0 {
		return
	}
	h.revoked.found(agents)
	h.Authenticator.agents.end(agents)
	connected := h.hub.connected()
	for _, a := range agents {
		for _, w := range connected[a.ID.String()] {
			h.Log.Info("stream of a revoked agent ends", "organization_id", a.OrganizationID, "agent_id", a.ID)
			w.end()
		}
	}
}
