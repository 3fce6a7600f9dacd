package proxy

import (
	"context"
	"sync"
)

// shadows are the copies under way, within bounds. Only requests that are drawn for a copy
// take its lock.
type shadows struct {
	mu       sync.Mutex
	under    map[*exchange]context.CancelFunc
	bytes    int64 // of their bodies
	stopping bool
	// idle is closed once none is under way; nil: nobody waits for that.
	idle chan struct{}
}

// begin takes a copy in; else it says why not.
func (s *shadows) begin(e *exchange, cancel context.CancelFunc) (why string) {
	size, config := int64(len(e.body.bytes)), &e.handler.config
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopping:
		return shadowStopping
	case len(s.under) >= config.MaxShadows:
		return shadowBusy
	case s.bytes+size > config.MaxShadowBytes:
		return shadowMemory
	}
	if s.under == nil {
		s.under = map[*exchange]context.CancelFunc{}
	}
	s.under[e] = cancel
	e.held = size
	s.bytes += size
	return ""
}

func (s *shadows) end(e *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.under[e]()
	delete(s.under, e)
	s.bytes -= e.held
	if s.idle != nil && len(s.under) == 0 {
		close(s.idle)
		s.idle = nil
	}
}

// stop lets none begin any more; the result is closed when none is under way.
func (s *shadows) stop() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := make(chan struct{})
	if s.stopping = true; len(s.under) == 0 {
		close(idle)
	} else {
		s.idle = idle
	}
	return idle
}

func (s *shadows) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cancel := range s.under {
		cancel()
	}
}

// Stop waits for the copies of requests that are under way. Those that are when ctx ends are
// cut, and settled at their most, before it returns. None begins after the call; it is made
// once.
func (h *Handler) Stop(ctx context.Context) {
	idle := h.shadows.stop()
	select {
	case <-idle:
	case <-ctx.Done():
		h.shadows.cut()
		<-idle
	}
}
