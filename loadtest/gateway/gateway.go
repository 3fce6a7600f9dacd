// Package gateway is the load test of gateways: it compares Weir's agent, a bare reverse
// proxy and any other gateways in the same run, in short turns, each alone on one core.
// What they add is what they are compared by, so that a noisy machine disturbs all alike.
//
// load makes the load, upstream is the provider behind all of them, report shows what came
// out.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/weirhq/weir/loadtest/gateway/report"
)

// Run measures and writes a report to out, and how it goes to progress.
func Run(ctx context.Context, c Config, out, progress io.Writer) (err error) {
	if err := c.validate(); err != nil {
		return err
	}
	cores, err := allowedCores()
	if err != nil {
		return err
	}
	place := place(cores)
	if c.Soak == 0 && c.measures(memory) {
		if err := raiseFiles(2*c.OpenStreams + 200); err != nil {
			return err
		}
	}
	began := time.Now()
	tell := func(format string, args ...any) {
		fmt.Fprintf(progress, "%4.0f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.bound(), errors.New("the run takes far longer than it should: something hangs"))
	defer cancel()
	s, err := newStage(ctx, c, place, tell)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := pin(os.Getpid(), place.generator); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pin(os.Getpid(), cores)) }()
	r := &report.Report{At: began, Command: command(), Machine: machine(s.root), Placement: place.String(), Rounds: c.Rounds, Slice: c.Slice.Milliseconds()}
	b := &bench{config: c, targets: s.targets, report: r, tell: tell, capacity: map[string]float64{}, between: func() error { s.trim(); return s.alive() }}
	if err := b.run(ctx, place); err != nil {
		return err
	}
	return errors.Join(r.Text(out), report.Save(c.JSON, r.JSON), report.Save(c.HTML, r.HTML))
}

func (b *bench) run(ctx context.Context, place placement) error {
	b.tell("checking what each target answers")
	if err := b.check(ctx); err != nil {
		return err
	}
	free, err := b.adopt(place)
	defer free()
	if err != nil {
		return err
	}
	others := othersSince(b.targets)
	if err := b.measure(ctx); err != nil {
		return err
	}
	b.report.Machine.Others = others()
	if b.report.Machine.Others > 0.05 {
		b.note("other work had %.0f %% of all cores meanwhile: times are not those of a quiet machine, and ratios only roughly", 100*b.report.Machine.Others)
	}
	return b.profile(ctx)
}

// measure all that is asked for.
func (b *bench) measure(ctx context.Context) error {
	if b.config.Soak > 0 {
		return b.soak(ctx)
	}
	for _, one := range []struct {
		what    string
		measure func(context.Context) error
	}{{latency, b.latency}, {throughput, b.throughput}, {openLoop, b.openLoop}, {firstToken, b.firstToken}, {memory, b.memory}} {
		if !b.config.measures(one.what) {
			continue
		}
		if err := one.measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) note(format string, args ...any) {
	b.report.Notes = append(b.report.Notes, fmt.Sprintf(format, args...))
}

// adopt pins the processes of targets that are not ours to the core of the proxies, until
// free.
func (b *bench) adopt(place placement) (free func(), err error) {
	var adopted []int
	cores := append(append([]int{}, place.proxy...), append(place.mock, place.generator...)...)
	free = func() {
		for _, pid := range adopted {
			_ = pin(pid, cores) // it may have ended
		}
	}
	for _, t := range b.targets {
		if t.pid != 0 || t.name == direct {
			continue
		}
		_, port, err := net.SplitHostPort(t.address)
		if err != nil {
			return free, err
		}
		if t.pid = listener(port); t.pid == 0 {
			b.note("the process of %s can't be seen from here: it may use more than one core, and nothing is known of its memory", t.name)
			continue
		}
		adopted = append(adopted, t.pid)
		if err := pin(t.pid, place.proxy); err != nil {
			return free, err
		}
	}
	return free, nil
}

// bound is how long a run may take.
func (c *Config) bound() time.Duration {
	targets := time.Duration(3 + len(c.Target))
	if c.Soak > 0 {
		return targets*(c.Soak+2*timeout) + 5*time.Minute
	}
	turns := time.Duration(4*len(c.Payload)+6) * time.Duration(c.Rounds) * c.Slice * targets
	return 3*turns + targets*(c.HoldFor+2*time.Minute) + 5*time.Minute
}

func command() string {
	return "go run ./loadtest " + strings.Join(os.Args[1:], " ")
}

// profiled is how long a profile is.
const profiled = 10 * time.Second

// profile takes one of Weir while it is saturated.
func (b *bench) profile(ctx context.Context) error {
	if b.config.Profile == "" {
		return nil
	}
	for _, t := range b.targets {
		if t.name != weir || t.private == "" {
			continue
		}
		b.tell("profile of %s", t.name)
		text, errs := "", make(chan error, 1)
		go func() {
			var err error
			text, err = fetch(ctx, http.MethodGet, fmt.Sprintf("%s/debug/pprof/profile?seconds=%.0f", t.private, profiled.Seconds()), "")
			errs <- err
		}()
		saturated := b.saturate(t, b.config.smallest()[0])
		saturated.For = profiled + time.Second
		_, err := saturated.Run(ctx)
		if err := errors.Join(err, <-errs); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		return os.WriteFile(b.config.Profile, []byte(text), 0o644)
	}
	return errors.New("--profile: the private address of weir is not known (--weir-private)")
}
