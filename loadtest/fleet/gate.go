package fleet

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// gate lets a sample of the agents read what comes, and the others once it opens. The control
// plane sends to all of them; but here they share what each has of its own, a processor, and
// how long they wait for one another is no part of how long a change takes.
type gate struct{ held atomic.Pointer[hold] }

type hold struct {
	sample func(agent int) bool
	opened chan struct{}
}

// hold closes the gate until open is called, which may be so more than once.
func (g *gate) hold(sample func(agent int) bool) (open func()) {
	h := &hold{sample: sample, opened: make(chan struct{})}
	g.held.Store(h)
	return sync.OnceFunc(func() {
		g.held.Store(nil)
		close(h.opened)
	})
}

// dial makes an agent's connections.
func (g *gate) dial(agent int) func(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &gatedConn{Conn: conn, gate: g, agent: agent}, nil
	}
}

// gatedConn holds back what was read while the gate is closed.
type gatedConn struct {
	net.Conn
	gate  *gate
	agent int
}

func (c *gatedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if h := c.gate.held.Load(); h != nil && !h.sample(c.agent) {
		<-h.opened
	}
	return n, err
}

// sample is each agent of so many, another one each time; size is how many that are.
func (f *fleet) sample() (is func(agent int) bool, size int) {
	n := len(f.agents)
	every := 1
	if f.config.Sample > 0 {
		every = max(1, n/f.config.Sample)
	}
	f.round++
	turn := f.round % every
	return func(agent int) bool { return agent%every == turn }, (n - turn + every - 1) / every
}
