package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/weirhq/weir/loadtest/gateway/load"
	"github.com/weirhq/weir/loadtest/gateway/report"
	"github.com/weirhq/weir/loadtest/gateway/upstream"
	"github.com/weirhq/weir/loadtest/proc"
)

const (
	// heldEvery is how often a held stream has an event.
	heldEvery = 5 * time.Second
	// dialing is how many held streams are opened at a time.
	dialing = 64
	// sampled is how often memory is read while streams are held.
	sampled = 250 * time.Millisecond
)

// memory opens streams at each proxy and reads its memory while they are open. Those that
// are ours are started anew: what earlier load left in their heaps is no part of it.
func (b *bench) memory(ctx context.Context) error {
	s := b.config.smallest()[1]
	for _, t := range b.proxies() {
		if t.pid == 0 {
			b.note("memory: the process of %s can't be seen from here", t.name)
			continue
		}
		if t.again != nil {
			if err := t.again(); err != nil {
				return err
			}
		}
		r, err := b.hold(ctx, t, s)
		if err != nil {
			return fmt.Errorf("%d open streams, target %s: %w", b.config.OpenStreams, t.name, err)
		}
		if t.name == weir {
			r.Hold(report.Limit{Bound: mostMemory, Unit: "MB"})
		}
		b.report.Results = append(b.report.Results, r)
	}
	return b.mode(ctx, upstream.Mode{})
}

func (b *bench) proxies() (all []*target) {
	for _, t := range b.targets {
		if t.name != direct {
			all = append(all, t)
		}
	}
	return all
}

func (b *bench) hold(ctx context.Context, t *target, s shape) (report.Result, error) {
	r := report.Result{Measurement: memory, Shape: fmt.Sprintf("%d streams", b.config.OpenStreams), Target: t.name, Unit: "MB"}
	if err := b.mode(ctx, upstream.Mode{Hold: true, Every: heldEvery}); err != nil {
		return r, err
	}
	b.tell("memory, %s: opening %d streams", t.name, b.config.OpenStreams)
	watched := watchMemory(ctx, t.pid, sampled)
	defer func() { _, _ = watched.stop() }()
	held, err := load.Hold{Request: t.request(s), Streams: b.config.OpenStreams, Dialing: dialing, Timeout: timeout}.Open(ctx)
	if err != nil {
		return r, err
	}
	defer held.Close()
	b.tell("memory, %s: %d streams are open", t.name, b.config.OpenStreams)
	if err := wait(ctx, b.config.HoldFor); err != nil {
		return r, err
	}
	r.Failed = held.Broken()
	r.Requests = int64(b.config.OpenStreams) - r.Failed
	if r.Memory, err = watched.stop(); err != nil {
		return r, err
	}
	for _, p := range r.Memory {
		r.Value = max(r.Value, p.MB)
	}
	return r, b.between()
}

// watch reads a process's memory until it is stopped.
type watch struct {
	done, ended chan struct{}
	points      []report.Point
	err         error
}

func watchMemory(ctx context.Context, pid int, every time.Duration) *watch {
	w := &watch{done: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for began := time.Now(); ; {
			resident, err := proc.Resident(pid)
			if err != nil {
				w.err = err
				return
			}
			w.points = append(w.points, report.Point{Seconds: time.Since(began).Seconds(), MB: float64(resident) / 1e6})
			select {
			case <-tick.C:
			case <-w.done:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return w
}

// stop may be called again.
func (w *watch) stop() ([]report.Point, error) {
	select {
	case <-w.done:
	default:
		close(w.done)
	}
	<-w.ended
	return w.points, w.err
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
