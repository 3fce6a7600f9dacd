package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/weirhq/weir/loadtest/gateway/load"
	"github.com/weirhq/weir/loadtest/gateway/report"
	"github.com/weirhq/weir/loadtest/gateway/upstream"
)

// toldEvery is how often a soak says how it goes.
const toldEvery = 10 * time.Second

// soak keeps each proxy but the bare one under half of what it can do, for as long as the
// configuration says, while answers of the upstream fail, break off or come late.
func (b *bench) soak(ctx context.Context) error {
	for _, t := range b.proxies() {
		if t.name == bare {
			continue
		}
		if t.again != nil {
			if err := t.again(); err != nil {
				return err
			}
		}
		for _, s := range b.config.smallest()[:1] {
			r, err := b.soakOne(ctx, t, s)
			if err != nil {
				return fmt.Errorf("soak, target %s: %w", t.name, err)
			}
			b.report.Results = append(b.report.Results, r)
		}
	}
	return nil
}

func (b *bench) soakOne(ctx context.Context, t *target, s shape) (report.Result, error) {
	capacity, err := b.ownCapacity(ctx, t, s)
	if err != nil {
		return report.Result{}, err
	}
	if err := b.mode(ctx, upstream.Mode{FaultEvery: b.config.FaultEvery}); err != nil {
		return report.Result{}, err
	}
	var watched *watch
	if t.pid != 0 {
		watched = watchMemory(ctx, t.pid, time.Second)
		defer func() { _, _ = watched.stop() }()
	}
	began := time.Now()
	var trouble error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sample, err := load.Open{
		// A late answer holds its connection: with so many, those that are late leave enough.
		Request: t.request(s), Connections: 8 * b.config.Connections, Timeout: timeout,
		Schedule: load.Poisson(capacity/2, b.config.Soak, 1), Every: toldEvery,
		Seen: func(so *load.Sample) {
			b.tell("soak, %s: %v of %v, %d answers, %d failed", t.name, time.Since(began).Round(time.Second), b.config.Soak, so.Requests, so.Failed)
			if trouble = b.between(); trouble != nil {
				cancel()
			}
		},
	}.Run(ctx)
	if trouble != nil {
		return report.Result{}, trouble
	}
	if err != nil {
		return report.Result{}, err
	}
	r := result("soak", s, t, []*load.Sample{sample})
	r.Unit, r.Offered, r.Quantiles = "MB/h", capacity/2, quantiles(sample, (*load.Sample).Latency)
	if watched == nil {
		r.Says = "its process can't be seen from here: nothing is known of its memory"
		return r, nil
	}
	if r.Memory, err = watched.stop(); err != nil {
		return r, err
	}
	r.Value, r.Says = flatness(r.Memory)
	return r, nil
}

// tellable is how long a soak must be to tell a leak from what a heap does anyway while
// load comes and goes.
const tellable = 5 * time.Minute

// flatness is the slope of memory in MB per hour over the second half, in which a process
// has what it needs, and what to think of it: flat is what grows by less than 5 % of what
// is there, or 4 MB, over that half.
func flatness(points []report.Point) (slope float64, says string) {
	half := points[len(points)/2:]
	if len(half) < 2 {
		return 0, "too short to tell whether memory is flat"
	}
	perSecond, mean := fit(half)
	grown := perSecond * (half[len(half)-1].Seconds - half[0].Seconds)
	verdict := "flat"
	switch {
	case points[len(points)-1].Seconds < tellable.Seconds():
		verdict = fmt.Sprintf("needs a soak of %v to be judged", tellable)
	case grown > max(mean/20, 4):
		verdict = "GROWS"
	}
	return perSecond * 3600, fmt.Sprintf("memory %s: %+.1f MB over the last %.0f s, at %.0f MB", verdict, grown, half[len(half)-1].Seconds-half[0].Seconds, mean)
}

// fit is the line of least squares.
func fit(points []report.Point) (slope, mean float64) {
	var at, mb float64
	for _, p := range points {
		at += p.Seconds
		mb += p.MB
	}
	n := float64(len(points))
	at, mb = at/n, mb/n
	var cross, square float64
	for _, p := range points {
		cross += (p.Seconds - at) * (p.MB - mb)
		square += (p.Seconds - at) * (p.Seconds - at)
	}
	if square == 0 {
		return 0, mb
	}
	return cross / square, mb
}
