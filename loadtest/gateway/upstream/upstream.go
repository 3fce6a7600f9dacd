// Package upstream is a mock of a provider that speaks OpenAI's chat completions and is
// quicker than what is measured against it: answers are bytes made once, and HTTP is read
// by hand. What it says is known, so that a gateway's answers can be checked against it.
//
// It owns no faithful wire beyond that: llmtest does.
package upstream

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Key is what callers must send as "Authorization: Bearer".
const Key = "sk-loadtest-upstream"

// Mode is how answers are given. The zero value answers at once.
type Mode struct {
	// Every passes before each event of a stream but the first.
	Every time.Duration `json:"every,omitempty"`
	// Burst is how many events of a stream go into one write, as where a network gathers
	// them; 0: one.
	Burst int `json:"burst,omitempty"`
	// Hold: streams do not end.
	Hold bool `json:"hold,omitempty"`
	// FaultEvery: each so-manieth answer is one of the faults in turn; 0: none.
	FaultEvery int64 `json:"fault_every,omitempty"`
}

// Server is the mock.
type Server struct {
	listener net.Listener
	mode     atomic.Pointer[Mode]
	served   atomic.Int64 // requests for an answer, faults included
	faults   atomic.Int64
	closed   chan struct{}

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	work  sync.WaitGroup
}

// Listen makes a server on an address, host:port.
func Listen(ctx context.Context, address string) (*Server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Server{listener: listener, closed: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	s.mode.Store(&Mode{})
	return s, nil
}

// Address is host:port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Set has answers begun from now on be given so, and ends those that were held.
func (s *Server) Set(m Mode) { s.mode.Store(&m) }

// Served is how many requests for an answer came.
func (s *Server) Served() int64 { return s.served.Load() }

// Serve until Close.
func (s *Server) Serve() error {
	for {
		c, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of files, for one
			continue
		}
		if !s.keep(c) {
			_ = c.Close()
			return nil
		}
		s.work.Go(func() {
			defer s.forget(c)
			newConn(s, c).serve()
		})
	}
}

func (s *Server) keep(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return false
	default:
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) forget(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// Close ends everything and waits for it.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	_ = s.listener.Close()
	s.work.Wait()
}
