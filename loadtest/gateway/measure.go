package gateway

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/weirhq/weir/loadtest/gateway/load"
	"github.com/weirhq/weir/loadtest/gateway/report"
	"github.com/weirhq/weir/loadtest/gateway/upstream"
)

// What Weir is held against.
const (
	mostLatency     = 1.3 // of what the bare proxy adds
	leastThroughput = 0.7 // of the bare proxy's
	mostP99         = 2.0 // ms added
	mostFirstToken  = 1.0 // ms added
	mostMemory      = 400 // MB
)

// eventsApart is the pace of streams that are measured to their first token.
const eventsApart = 5 * time.Millisecond

func (b *bench) latency(ctx context.Context) error {
	for _, s := range b.config.shapes() {
		samples, err := b.interleave(ctx, "latency, "+s.String(), b.targets, func(ctx context.Context, t *target, _ int) (*load.Sample, error) {
			return load.Closed{Request: t.request(s), Connections: 1, For: b.config.Slice, Timeout: timeout}.Run(ctx)
		})
		if err != nil {
			return err
		}
		median := func(s *load.Sample) time.Duration { return s.Latency(0.5) }
		base := above(samples[bare], samples[direct], median)
		for _, t := range b.targets {
			r := result(latency, s, t, samples[t.name])
			r.Unit, r.Quantiles = "ms", quantiles(merged(samples[t.name]), (*load.Sample).Latency)
			if t.name == direct {
				r.Value = millis(median(merged(samples[direct])))
			} else {
				r.Rounds = above(samples[t.name], samples[direct], median)
				r.Value, r.Ratio = report.Median(r.Rounds), ratio(r.Rounds, base)
			}
			if t.name == weir {
				r.Hold(report.Limit{Bound: mostLatency})
			}
			b.report.Results = append(b.report.Results, r)
		}
	}
	return nil
}

func (b *bench) saturate(t *target, s shape) load.Closed {
	return load.Closed{Request: t.request(s), Connections: b.config.Connections, For: b.config.Slice, Timeout: timeout}
}

// burst is how many events of a stream come at a time where many streams do: one by one,
// the system calls of the mock would cost more than those of a proxy.
const burst = 4

func (b *bench) throughput(ctx context.Context) error {
	if err := b.mode(ctx, upstream.Mode{Burst: burst}); err != nil {
		return err
	}
	for _, s := range b.config.shapes() {
		samples, err := b.interleave(ctx, "throughput, "+s.String(), b.targets, func(ctx context.Context, t *target, _ int) (*load.Sample, error) {
			return b.saturate(t, s).Run(ctx)
		})
		if err != nil {
			return err
		}
		base := rates(samples[bare])
		for _, t := range b.targets {
			r := result(throughput, s, t, samples[t.name])
			r.Unit, r.Rounds = "/s", rates(samples[t.name])
			r.Value, r.Ratio = report.Median(r.Rounds), ratio(r.Rounds, base)
			if t.name == weir {
				r.Hold(report.Limit{Bound: leastThroughput, AtLeast: true})
			}
			b.capacity[t.name+s.String()] = r.Value
			b.report.Results = append(b.report.Results, r)
		}
		b.cost(s)
		b.doubtMock(s)
	}
	return b.mode(ctx, upstream.Mode{})
}

// cost is what the throughput that was just measured took of the processor. Other work on
// the machine changes it far less than it changes the throughput.
func (b *bench) cost(s shape) {
	for _, t := range b.targets {
		if t.name == direct || len(b.costs[t.name]) != b.config.Rounds {
			continue
		}
		r := report.Result{Measurement: "processor", Shape: s.String(), Target: t.name, Unit: "µs", Rounds: b.costs[t.name], Value: report.Median(b.costs[t.name])}
		if base := b.costs[bare]; len(base) == b.config.Rounds {
			r.Ratio = ratio(r.Rounds, base)
		}
		b.report.Results = append(b.report.Results, r)
	}
}

// doubtMock notes where generator and mock are too slow to measure with.
func (b *bench) doubtMock(s shape) {
	alone, proxied := b.capacity[direct+s.String()], b.capacity[bare+s.String()]
	if proxied > 0 && alone < 2*proxied {
		b.note("throughput, %v: generator and upstream alone do %.1f × what they do through the bare proxy, where 2 × is wanted: "+
			"the ratios are nearer to 1 than the proxies are",
			s, alone/proxied)
	}
}

func rates(samples []*load.Sample) (all []float64) {
	for _, s := range samples {
		all = append(all, s.Rate())
	}
	return all
}

// ownCapacity is what throughput found, or finds now.
func (b *bench) ownCapacity(ctx context.Context, t *target, s shape) (float64, error) {
	if known := b.capacity[t.name+s.String()]; known > 0 {
		return known, nil
	}
	sample, err := b.saturate(t, s).Run(ctx)
	if err != nil {
		return 0, err
	}
	b.capacity[t.name+s.String()] = sample.Rate()
	return sample.Rate(), nil
}

func (b *bench) openLoop(ctx context.Context) error {
	if err := b.mode(ctx, upstream.Mode{Burst: burst}); err != nil {
		return err
	}
	for _, s := range b.config.smallest() {
		offered := map[string]float64{}
		for _, t := range b.targets {
			capacity, err := b.ownCapacity(ctx, t, s)
			if err != nil {
				return err
			}
			offered[t.name] = capacity / 2
		}
		offered[direct] = min(offered[direct], offered[bare]) // what the others are compared with is not to be in a hurry
		samples, err := b.interleave(ctx, "open loop, "+s.String(), b.targets, func(ctx context.Context, t *target, round int) (*load.Sample, error) {
			return load.Open{
				Request: t.request(s), Connections: b.config.Connections, Timeout: timeout,
				Schedule: load.Poisson(offered[t.name], b.config.Slice, uint64(round)),
			}.Run(ctx)
		})
		if err != nil {
			return err
		}
		for _, t := range b.targets {
			r := b.added(openLoop, s, t, samples, func(s *load.Sample) time.Duration { return s.Latency(0.99) })
			r.Offered, r.Quantiles = offered[t.name], quantiles(merged(samples[t.name]), (*load.Sample).Latency)
			if t.name == weir {
				r.Hold(report.Limit{Bound: mostP99, Unit: "ms"})
			}
			b.report.Results = append(b.report.Results, r)
		}
	}
	return b.mode(ctx, upstream.Mode{})
}

// added is a result of time above that of the direct way; of the direct way, time.
func (b *bench) added(measurement string, s shape, t *target, samples map[string][]*load.Sample, of func(*load.Sample) time.Duration) report.Result {
	r := result(measurement, s, t, samples[t.name])
	r.Unit = "ms"
	if t.name == direct {
		r.Value = millis(of(merged(samples[direct])))
		return r
	}
	r.Rounds = above(samples[t.name], samples[direct], of)
	r.Value = report.Median(r.Rounds)
	return r
}

func (b *bench) firstToken(ctx context.Context) error {
	if err := b.mode(ctx, upstream.Mode{Every: eventsApart}); err != nil {
		return err
	}
	s := b.config.smallest()[1]
	// Streams that all begin at once would wait for one another.
	apart := func() time.Duration { return rand.N(upstream.Events * eventsApart / 4) }
	samples, err := b.interleave(ctx, "first token", b.targets, func(ctx context.Context, t *target, _ int) (*load.Sample, error) {
		return load.Closed{Request: t.request(s), Connections: b.config.Streams, For: 2 * b.config.Slice, Timeout: timeout, Pause: apart}.Run(ctx)
	})
	if err != nil {
		return err
	}
	for _, t := range b.targets {
		r := b.added(firstToken, s, t, samples, func(s *load.Sample) time.Duration { return s.First(0.95) })
		r.Quantiles = quantiles(merged(samples[t.name]), (*load.Sample).First)
		if t.name == weir {
			r.Hold(report.Limit{Bound: mostFirstToken, Unit: "ms"})
		}
		b.report.Results = append(b.report.Results, r)
	}
	return b.mode(ctx, upstream.Mode{})
}
