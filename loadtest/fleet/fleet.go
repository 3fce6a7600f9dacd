// Package fleet is the load test of policy: N agents with the real client follow one
// gateway of a control plane that has one core to itself.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/weirhq/weir/deploy/local/stack"
)

// Config of a run.
type Config struct {
	Agents      []int         `default:"1000,5000" help:"Sizes of the fleet, rising; everything is measured at each."`
	Changes     int           `default:"20" help:"Changes of policy, and as many revocations, at each size."`
	Every       time.Duration `default:"2s" help:"Between two of them, at least."`
	Sample      int           `default:"50" help:"How many agents read each change at once and are measured, others in turn; the rest read it right after. 0: all at once, which on one machine measures how long they wait for one another."`
	Idle        time.Duration `default:"15s" help:"For how long idle agents are watched."`
	StateDir    string        `default:"/dev/shm" type:"existingdir" help:"Where the agents' folders go: one disk does not do for a thousand what each has of its own."`
	Storm       bool          `default:"true" negatable:"" help:"Kill the control plane under the largest fleet."`
	JSON        string        `name:"json" type:"path" help:"Write the results to this file, too."`
	StormWithin time.Duration `default:"30s" help:"What the storm is held against."`
	P99         time.Duration `name:"p99" default:"250ms" help:"What changes and revocations are held against."`
}

// Run measures and writes a report to out. It builds the control plane and starts it
// with a Postgres of its own.
func Run(ctx context.Context, c Config, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "weir-loadtest-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := stack.Start(ctx, stack.Config{Dir: dir, Roles: "api,fleet", Env: []string{"GOMAXPROCS=1"}})
	if err != nil {
		return err
	}
	defer s.Close()
	admin, err := newAdmin(ctx, s)
	if err != nil {
		return err
	}
	f, err := newFleet(c, s, admin, newReport(out))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.stop()) }()
	without, err := consumptionOf(s.ControlPlane.PID())
	if err != nil {
		return err
	}
	for _, size := range c.Agents {
		if err := f.measure(ctx, size, without); err != nil {
			return fmt.Errorf("fleet of %d: %w", size, err)
		}
	}
	if c.Storm {
		if err := f.storm(ctx); err != nil {
			return fmt.Errorf("storm: %w", err)
		}
	}
	return f.report.save(c.JSON)
}

// measure grows the fleet to size and takes everything at that size.
func (f *fleet) measure(ctx context.Context, size int, without consumption) error {
	began := time.Now()
	if err := f.grow(ctx, size); err != nil {
		return err
	}
	f.report.took(size, "all enrolled and current", time.Since(began), 0)
	if err := f.idle(ctx, without); err != nil {
		return err
	}
	if err := f.changes(ctx); err != nil {
		return err
	}
	return f.revocations(ctx)
}
