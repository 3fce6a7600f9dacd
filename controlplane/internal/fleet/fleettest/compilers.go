package fleettest

import (
	"context"
	"sync"
	"time"

	"github.com/weirhq/weir/controlplane/internal/fleet"
)

// Compilers is fleet.Compilers in memory; its zero value is empty.
type Compilers struct {
	mu   sync.Mutex
	seen map[int32]time.Time
}

var _ fleet.Compilers = (*Compilers)(nil)

// Note implements fleet.Compilers.
func (c *Compilers) Note(_ context.Context, revision int32) (newest int32, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = make(map[int32]time.Time)
	}
	c.seen[revision] = time.Now()
	for r, at := range c.seen {
		if time.Since(at) < 30*time.Second {
			newest = max(newest, r)
		}
	}
	return newest, nil
}
