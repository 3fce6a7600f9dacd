// Package gate bounds how much runs at once in this process, and how much of that is of one
// organization. Nobody waits at it: who is refused says so to the caller.
package gate

import (
	"sync"

	"github.com/google/uuid"
)

// Gate has a number of places, of which one organization can't take all.
type Gate struct {
	mu        sync.Mutex
	all, each int
	running   int
	by        map[uuid.UUID]int
}

// New returns a gate with so many places, so many of which each organization may have.
func New(all, each int) *Gate {
	return &Gate{all: all, each: each, by: map[uuid.UUID]int{}}
}

// Enter takes a place until leave is called, once or more often; false: there is none.
func (g *Gate) Enter(organization uuid.UUID) (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running >= g.all || g.by[organization] >= g.each {
		return nil, false
	}
	g.running++
	g.by[organization]++
	return sync.OnceFunc(func() { g.leave(organization) }), true
}

func (g *Gate) leave(organization uuid.UUID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	if g.by[organization]--; g.by[organization] == 0 {
		delete(g.by, organization)
	}
}
