package budget

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir/deploy/local/process"
)

const startsIn = 2 * time.Minute

// part is one process that is started, killed and started again, by one goroutine at a time.
type part struct {
	name    string
	program process.Program
	log     string

	mu  sync.Mutex
	now *process.Process // nil: none runs
}

// start returns once the process answers.
func (p *part) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startsIn)
	defer cancel()
	started, err := process.Start(ctx, p.program, p.log)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.now = started
	p.mu.Unlock()
	return started.Ready(ctx)
}

// kill is kill -9.
func (p *part) kill() {
	if running := p.take(); running != nil {
		running.Kill()
	}
}

// stop has the process end in order. An error: it did not.
func (p *part) stop() error {
	running := p.take()
	if running == nil {
		return nil
	}
	running.Stop()
	if how := running.Ended().Error(); !strings.Contains(how, "exit status 0") {
		return fmt.Errorf("%s was stopped: %s", p.name, how)
	}
	return nil
}

func (p *part) take() *process.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	running := p.now
	p.now = nil
	return running
}

// ended tells how a process ended by itself; empty: it did not.
func (p *part) ended() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil {
		return ""
	}
	select {
	case <-p.now.Done():
		return p.now.Ended().Error()
	default:
		return ""
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
