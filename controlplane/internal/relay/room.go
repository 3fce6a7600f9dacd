package relay

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
)

// Limits in bytes of bodies that are being read or written on; memory holds each about three
// times. Zero means the default in brackets.
type Limits struct {
	Process      int64 // [64 MiB]
	Organization int64 // [a quarter of Process]
	Agent        int64 // [8.1 MiB], two calls
}

func (l Limits) withDefaults() Limits {
	process := cmp.Or(l.Process, 64<<20)
	return Limits{Process: process, Organization: cmp.Or(l.Organization, process/4), Agent: cmp.Or(l.Agent, 2*maxRequestBytes)}
}

// leastBytes is what a call counts at least: what it costs beside its body.
const leastBytes = 64 << 10

// room bounds what is in memory, of the process, of one organization and of one agent: the
// crowd of one is not the wait of others.
type room struct {
	limits Limits

	mu            sync.Mutex
	used          int64
	organizations map[uuid.UUID]int64
	agents        map[uuid.UUID]int64
}

func newRoom(limits Limits) *room {
	return &room{limits: limits, organizations: map[uuid.UUID]int64{}, agents: map[uuid.UUID]int64{}}
}

// enter makes room until leave, or says when to come again. It waits for nothing: who waits
// holds memory, too.
func (r *room) enter(agent gateway.Agent, bytes int64) (leave func(), refused *fault.Error) {
	bytes = max(bytes, leastBytes)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.agents[agent.ID]+bytes > r.limits.Agent:
		return nil, busy("agent_busy", "calls of this agent are under way with as much as one may have in flight; send the same again later")
	case r.organizations[agent.OrganizationID]+bytes > r.limits.Organization:
		return nil, busy("organization_busy", "calls of this organization's agents are under way with as much as one may have in flight; send the same again later")
	case r.used+bytes > r.limits.Process:
		return nil, busy("relay_busy", "the relay has as much in flight as it may have; send the same again later")
	}
	r.count(agent, bytes)
	return sync.OnceFunc(func() { r.leave(agent, bytes) }), nil
}

func (r *room) leave(agent gateway.Agent, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count(agent, -bytes)
}

func (r *room) count(agent gateway.Agent, bytes int64) {
	r.used += bytes
	add(r.organizations, agent.OrganizationID, bytes)
	add(r.agents, agent.ID, bytes)
}

// add keeps nothing of whom nothing is under way.
func add(to map[uuid.UUID]int64, whose uuid.UUID, bytes int64) {
	if to[whose] += bytes; to[whose] == 0 {
		delete(to, whose)
	}
}

func (r *room) inUse() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return float64(r.used)
}

func busy(reason, message string) *fault.Error {
	f := fault.Because(fault.Exhausted, reason, "%s", message)
	f.RetryAfter = time.Second
	return f
}

// turns lets one call of each agent write at a time.
type turns struct {
	mu sync.Mutex
	of map[uuid.UUID]*turn
}

type turn struct {
	taken chan struct{} // holds one value while somebody writes
	users int
}

func newTurns() *turns { return &turns{of: map[uuid.UUID]*turn{}} }

// wait returns when it is the agent's only writer, until leave; an error only when ctx ends.
func (t *turns) wait(ctx context.Context, agent uuid.UUID) (leave func(), err error) {
	t.mu.Lock()
	mine := t.of[agent]
	if mine == nil {
		mine = &turn{taken: make(chan struct{}, 1)}
		t.of[agent] = mine
	}
	mine.users++
	t.mu.Unlock()
	select {
	case mine.taken <- struct{}{}:
		return func() { <-mine.taken; t.forget(agent, mine) }, nil
	case <-ctx.Done():
		t.forget(agent, mine)
		return nil, ctx.Err()
	}
}

func (t *turns) forget(agent uuid.UUID, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(t.of, agent)
	}
}
