package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirhq/weir/dataplane/agenttest"
	"github.com/weirhq/weir/deploy/local/stack"
)

const (
	// enrolling is how many agents start at once.
	enrolling = 64
	// within bounds how long the whole fleet may take to do anything.
	within = 5 * time.Minute
)

// fleet is the agents that run so far.
type fleet struct {
	config Config
	stack  *stack.Stack
	admin  *admin
	report *report
	dir    string

	agents  []*agenttest.Agent
	wait    sync.WaitGroup
	stopped context.CancelFunc
	running context.Context //nolint:containedctx // the agents live longer than each call that starts some
	now     atomic.Pointer[measurement]
	gate    gate
	round   int // of samples
	// spent from calls to the last agent that served what follows.
	spent spending
}

func newFleet(c Config, s *stack.Stack, a *admin, r *report) (*fleet, error) {
	dir, err := os.MkdirTemp(c.StateDir, "weir-loadtest-agents-")
	if err != nil {
		return nil, err
	}
	f := &fleet{config: c, stack: s, admin: a, report: r, dir: dir}
	f.running, f.stopped = context.WithCancel(context.Background())
	return f, nil
}

// stop ends all agents and removes their folders.
func (f *fleet) stop() error {
	f.stopped()
	f.wait.Wait()
	return os.RemoveAll(f.dir)
}

// grow starts agents until there are so many and all serve something.
func (f *fleet) grow(ctx context.Context, size int) error {
	if size <= len(f.agents) {
		return fmt.Errorf("%d agents run; sizes must rise", len(f.agents))
	}
	token, err := f.admin.token(ctx, size-len(f.agents))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	m, served := newMeasurement(size), policyOf(1)
	f.now.Store(m)
	defer f.now.Store(nil)
	for i := range f.agents {
		m.note(i, f.agents[i].Position())
	}
	for len(f.agents) < size {
		if err := m.await(ctx, len(f.agents)-enrolling, served); err != nil {
			return err
		}
		if err := f.add(token); err != nil {
			return err
		}
	}
	return m.await(ctx, size, served)
}

// add starts one more agent, on connections of its own.
func (f *fleet) add(token string) error {
	i := len(f.agents)
	name := fmt.Sprintf("agent-%d", i)
	agent, err := agenttest.New(agenttest.Config{
		URL: f.stack.URL, Token: token, Name: name, StateDir: filepath.Join(f.dir, name),
		Transport: &http.Transport{DialContext: f.gate.dial(i)},
		Log:       slog.New(slog.DiscardHandler),
		Served: func(_ *agenttest.Agent, p agenttest.Position) {
			if m := f.now.Load(); m != nil {
				m.note(i, p)
			}
		},
	})
	if err != nil {
		return err
	}
	f.agents = append(f.agents, agent)
	f.wait.Go(func() { _ = agent.Run(f.running) }) // it tries for ever
	return nil
}

// quiet returns once all agents serve the same and did not change it for a while.
func (f *fleet) quiet(ctx context.Context) error {
	for {
		before, same := f.position()
		if err := pause(ctx, f.config.Every); err != nil {
			return fmt.Errorf("the agents do not come to rest: %w", err)
		}
		if after, still := f.position(); same && still && after == before {
			return nil
		}
	}
}

// position of all agents, if it is the same.
func (f *fleet) position() (p agenttest.Position, same bool) {
	p = f.agents[0].Position()
	for _, a := range f.agents {
		if a.Position() != p {
			return p, false
		}
	}
	return p, true
}
