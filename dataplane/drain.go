package dataplane

import (
	"net/http"
	"sync/atomic"
	"time"
)

// drain is the time between being told to stop and refusing connections: load balancers
// learn from /readyz that the agent goes, and callers from "Connection: close" that their
// next request needs another connection. One that was closed, or never accepted, while a
// request came on it would fail that request.
type drain struct {
	delay time.Duration
	begun atomic.Bool
}

// server says on every answer when it goes.
func (d *drain) server(handler http.Handler) *http.Server {
	return &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.begun.Load() {
			w.Header().Set("Connection", "close")
		}
		handler.ServeHTTP(w, r)
	})}
}

func (d *drain) run() {
	d.begun.Store(true)
	time.Sleep(d.delay)
}
