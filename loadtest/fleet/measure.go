package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/weirhq/weir/dataplane/agenttest"
)

// idle watches what connected agents cost while nothing changes.
func (f *fleet) idle(ctx context.Context, without consumption) error {
	before, err := consumptionOf(f.stack.ControlPlane.PID())
	if err != nil {
		return err
	}
	if err := pause(ctx, f.config.Idle); err != nil {
		return err
	}
	after, err := consumptionOf(f.stack.ControlPlane.PID())
	if err != nil {
		return err
	}
	n := len(f.agents)
	f.report.add(row{Agents: n, What: "memory of the control plane per idle agent", Value: float64(after.resident-without.resident) / 1024 / float64(n), Unit: "KiB"})
	f.report.add(row{Agents: n, What: "of its core while idle", Value: 100 * (after.cpu - before.cpu).Seconds() / f.config.Idle.Seconds(), Unit: "%"})
	return nil
}

// changes measures from the call that changes the policy until it is applied.
func (f *fleet) changes(ctx context.Context) error {
	var all, calls []time.Duration
	for range f.config.Changes {
		spans, call, err := f.spread(ctx, newerPolicy, f.admin.change)
		if err != nil {
			return fmt.Errorf("change: %w", err)
		}
		all, calls = append(all, spans...), append(calls, call)
	}
	f.latencies("change", all, calls)
	return nil
}

// revocations measures from the call that revokes a key until it is refused.
func (f *fleet) revocations(ctx context.Context) error {
	var all, calls []time.Duration
	for range f.config.Changes {
		spans, call, err := f.revocation(ctx)
		if err != nil {
			return fmt.Errorf("revocation: %w", err)
		}
		all, calls = append(all, spans...), append(calls, call)
	}
	f.latencies("revocation", all, calls)
	return nil
}

func (f *fleet) revocation(ctx context.Context) (spans []time.Duration, call time.Duration, err error) {
	var id string
	var sum [32]byte
	_, _, err = f.spread(ctx, newerPolicy, func(ctx context.Context) (err error) {
		id, sum, err = f.admin.key(ctx)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	if n := f.refusing(sum); n > 0 {
		return nil, 0, fmt.Errorf("%d agents refuse a key that lives", n)
	}
	spans, call, err = f.spread(ctx, moreRevoked, func(ctx context.Context) error { return f.admin.revoke(ctx, id) })
	if n := f.refusing(sum); err == nil && n < len(f.agents) {
		err = fmt.Errorf("%d of %d agents refuse a revoked key", n, len(f.agents))
	}
	return spans, call, err
}

func (f *fleet) refusing(sum [32]byte) (agents int) {
	for _, a := range f.agents {
		if a.Refuses(sum) {
			agents++
		}
	}
	return agents
}

// follows tells whether a position is what a change made of the one before.
type follows func(before, now agenttest.Position) bool

func newerPolicy(before, now agenttest.Position) bool { return now.Version > before.Version }

func moreRevoked(before, now agenttest.Position) bool {
	return now.RevocationVersion > before.RevocationVersion
}

// spread calls do and returns how long after that each agent served what follows, and
// how long the call itself took.
func (f *fleet) spread(ctx context.Context, is follows, do func(context.Context) error) ([]time.Duration, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	before, err := f.quiet(ctx)
	if err != nil {
		return nil, 0, err
	}
	m := newMeasurement(len(f.agents), func(now agenttest.Position) bool { return is(before, now) })
	f.now.Store(m)
	defer f.now.Store(nil)
	if err := do(ctx); err != nil {
		return nil, 0, err
	}
	call := time.Since(m.began)
	if err := m.await(ctx, len(f.agents)); err != nil {
		return nil, 0, err
	}
	return m.spans(), call, nil
}

func (f *fleet) latencies(what string, all, calls []time.Duration) {
	all, calls = sorted(all), sorted(calls)
	n := len(f.agents)
	f.report.took(n, what+": the call itself, p50", quantile(calls, 0.5), 0)
	f.report.took(n, what+": called to served, p50", quantile(all, 0.5), 0)
	f.report.took(n, what+": called to served, p95", quantile(all, 0.95), 0)
	f.report.took(n, what+": called to served, p99", quantile(all, 0.99), f.config.P99)
}

// storm kills the control plane under the whole fleet, and changes the policy as soon
// as it is back: all must come for it at once.
func (f *fleet) storm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	before, err := f.quiet(ctx)
	if err != nil {
		return err
	}
	m := newMeasurement(len(f.agents), func(now agenttest.Position) bool { return newerPolicy(before, now) })
	f.now.Store(m)
	defer f.now.Store(nil)
	f.stack.ControlPlane.Kill()
	if err := f.stack.StartControlPlane(ctx); err != nil {
		return err
	}
	f.report.took(len(f.agents), "storm: killed to answering again", time.Since(m.began), 0)
	if err := f.admin.change(ctx); err != nil {
		return err
	}
	if err := m.await(ctx, len(f.agents)); err != nil {
		return err
	}
	all := sorted(m.spans())
	f.report.took(len(f.agents), "storm: killed to half of them current", quantile(all, 0.5), 0)
	f.report.took(len(f.agents), "storm: killed to all of them current", all[len(all)-1], f.config.StormWithin)
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
