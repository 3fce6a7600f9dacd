package report

import (
	"sync"

	"github.com/google/uuid"
)

// gate bounds how many queries run at once: one organization can't take all places.
type gate struct {
	mu        sync.Mutex
	all, each int
	running   int
	by        map[uuid.UUID]int
}

func newGate(all, each int) *gate {
	return &gate{all: all, each: each, by: map[uuid.UUID]int{}}
}

func (g *gate) enter(organization uuid.UUID) (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running >= g.all || g.by[organization] >= g.each {
		return nil, false
	}
	g.running++
	g.by[organization]++
	return sync.OnceFunc(func() { g.leave(organization) }), true
}

func (g *gate) leave(organization uuid.UUID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	if g.by[organization]--; g.by[organization] == 0 {
		delete(g.by, organization)
	}
}
