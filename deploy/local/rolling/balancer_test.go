package rolling_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir/deploy/local/stack"
)

// balancer is a load balancer of connections: each new one goes to the next agent that was
// ready when it looked last, every 200 ms. It knows nothing of requests and closes nothing
// itself.
type balancer struct {
	t       *testing.T
	address string
	agents  []*stack.Agent
	ready   []atomic.Bool
	next    atomic.Int64
	// connections that went to each agent.
	connections []atomic.Int64
}

func balance(t *testing.T, agents ...*stack.Agent) *balancer {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	b := &balancer{t: t, address: "http://" + listener.Addr().String(), agents: agents, ready: make([]atomic.Bool, len(agents)), connections: make([]atomic.Int64, len(agents))}
	ctx, stop := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	b.look(ctx)
	wait.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
				b.look(ctx)
			}
		}
	})
	wait.Go(func() { b.accept(ctx, listener) })
	t.Cleanup(func() {
		stop()
		listener.Close()
		wait.Wait()
	})
	return b
}

func (b *balancer) look(ctx context.Context) {
	for i, agent := range b.agents {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, agent.AdminURL+"/readyz", http.NoBody)
		must(b.t, err)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
		}
		b.ready[i].Store(err == nil && response.StatusCode == http.StatusOK)
	}
}

func (b *balancer) accept(ctx context.Context, listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go b.carry(ctx, conn)
	}
}

// carry connects a caller with an agent until both are done. Where none is ready the
// connection is closed: the test sees a request that failed.
func (b *balancer) carry(ctx context.Context, caller net.Conn) {
	defer caller.Close()
	for range b.agents {
		i := int(b.next.Add(1)) % len(b.agents)
		if !b.ready[i].Load() {
			continue
		}
		agent, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(b.agents[i].URL, "http://"))
		if err != nil {
			return
		}
		defer agent.Close()
		b.connections[i].Add(1)
		go func() {
			_, _ = io.Copy(agent, caller)
			_ = agent.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(caller, agent)
		return
	}
}
