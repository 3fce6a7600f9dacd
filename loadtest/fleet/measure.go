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
	f.spent = spending{}
	for range f.config.Changes {
		spans, call, err := f.spread(ctx, policyOf, f.admin.change)
		if err != nil {
			return fmt.Errorf("change: %w", err)
		}
		all, calls = append(all, spans...), append(calls, call)
	}
	f.latencies("change", all, calls)
	each := time.Duration(f.config.Changes)
	f.report.took(len(f.agents), "change: processor time of the control plane", f.spent.controlPlane/each, 0)
	f.report.took(len(f.agents), "change: processor time of all agents together", f.spent.agents/each, 0)
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
	_, _, err = f.spread(ctx, policyOf, func(ctx context.Context) (err error) {
		id, sum, err = f.admin.key(ctx)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	if n := f.refusing(sum); n > 0 {
		return nil, 0, fmt.Errorf("%d agents refuse a key that lives", n)
	}
	spans, call, err = f.spread(ctx, revocationOf, func(ctx context.Context) error { return f.admin.revoke(ctx, id) })
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

// policyOf and revocationOf are what a change at a version of the log makes of a position.
func policyOf(version int64) follows {
	return func(p agenttest.Position) bool { return p.Version >= version }
}

func revocationOf(version int64) follows {
	return func(p agenttest.Position) bool { return p.RevocationVersion >= version }
}

// spread calls do, which is the log's newest change, and returns how long after that each
// agent of a sample served it, and how long the call itself took.
func (f *fleet) spread(ctx context.Context, of func(version int64) follows, do func(context.Context) error) ([]time.Duration, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := f.quiet(ctx); err != nil {
		return nil, 0, err
	}
	began, err := f.spending()
	if err != nil {
		return nil, 0, err
	}
	sample, size := f.sample()
	open := f.gate.hold(sample)
	defer open()
	m := newMeasurement(len(f.agents))
	f.now.Store(m)
	defer f.now.Store(nil)
	if err := do(ctx); err != nil {
		return nil, 0, err
	}
	call := time.Since(m.began)
	head, err := f.admin.head(ctx)
	if err != nil {
		return nil, 0, err
	}
	if err := m.await(ctx, size, of(head)); err != nil {
		return nil, 0, err
	}
	spans := m.spans(of(head))
	open()
	if err := m.await(ctx, len(f.agents), of(head)); err != nil {
		return nil, 0, err
	}
	ended, err := f.spending()
	f.spent.controlPlane += ended.controlPlane - began.controlPlane
	f.spent.agents += ended.agents - began.agents
	return spans, call, err
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
	if err := f.quiet(ctx); err != nil {
		return err
	}
	m := newMeasurement(len(f.agents))
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
	head, err := f.admin.head(ctx)
	if err != nil {
		return err
	}
	if err := m.await(ctx, len(f.agents), policyOf(head)); err != nil {
		return err
	}
	all := sorted(m.spans(policyOf(head)))
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
