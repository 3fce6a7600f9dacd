package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/weirhq/weir/loadtest/gateway/load"
	"github.com/weirhq/weir/loadtest/gateway/report"
	"github.com/weirhq/weir/loadtest/gateway/upstream"
)

// timeout of a request: one that takes longer has failed.
const timeout = 20 * time.Second

// bench measures targets in turns.
type bench struct {
	config  Config
	targets []*target
	report  *report.Report
	tell    func(format string, args ...any)
	// between is called after every turn; an error ends the run.
	between func() error

	capacity map[string]float64 // requests per second, by target and shape
	// costs are what an answer took of the processor in each turn of the last interleave,
	// µs, by target; of those whose process is known.
	costs map[string][]float64
}

// turns is the order of n targets in a round: there and back, so that none always follows
// the same other one, whose leftover work it would share the core with.
func turns(round, n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
		if round%2 == 1 {
			order[i] = n - 1 - i
		}
	}
	return order
}

// slice is one turn of a target.
type slice func(ctx context.Context, t *target, round int) (*load.Sample, error)

// interleave gives every target its turn in every round.
func (b *bench) interleave(ctx context.Context, what string, targets []*target, one slice) (map[string][]*load.Sample, error) {
	samples := map[string][]*load.Sample{}
	b.costs = map[string][]float64{}
	for round := range b.config.Rounds {
		b.tell("%s, round %d of %d", what, round+1, b.config.Rounds)
		for _, i := range turns(round, len(targets)) {
			t := targets[i]
			before, err := b.served(ctx)
			if err != nil {
				return nil, err
			}
			spent := t.spent()
			sample, err := one(ctx, t, round)
			if err != nil {
				return nil, fmt.Errorf("%s, target %s: %w", what, t.name, err)
			}
			spent = t.spent() - spent
			after, err := b.served(ctx)
			if err != nil {
				return nil, err
			}
			if after-before < sample.Requests {
				return nil, fmt.Errorf("%s, target %s: of %d answers only %d came from the upstream: turn its cache off", what, t.name, sample.Requests, after-before)
			}
			samples[t.name] = append(samples[t.name], sample)
			if spent > 0 {
				b.costs[t.name] = append(b.costs[t.name], spent.Seconds()*1e6/float64(max(1, after-before)))
			}
			if err := b.between(); err != nil {
				return nil, fmt.Errorf("%s, target %s: %w", what, t.name, err)
			}
		}
	}
	return samples, nil
}

func (b *bench) served(ctx context.Context) (int64, error) {
	text, err := fetch(ctx, http.MethodGet, "http://"+b.config.Upstream+"/loadtest/served", "")
	if err != nil {
		return 0, fmt.Errorf("ask the upstream what it served: %w", err)
	}
	return strconv.ParseInt(text, 10, 64)
}

// mode tells the upstream how to answer from now on.
func (b *bench) mode(ctx context.Context, m upstream.Mode) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := fetch(ctx, http.MethodPut, "http://"+b.config.Upstream+"/loadtest/mode", string(text)); err != nil {
		return fmt.Errorf("tell the upstream how to answer: %w", err)
	}
	return nil
}

// merged is all rounds of a target as one sample.
func merged(samples []*load.Sample) *load.Sample {
	all := load.NewSample()
	for _, s := range samples {
		all.Merge(s)
	}
	return all
}

// result has what a target's samples have in common with those of every measurement.
func result(measurement string, s shape, t *target, samples []*load.Sample) report.Result {
	all := merged(samples)
	r := report.Result{Measurement: measurement, Shape: s.String(), Target: t.name, Requests: all.Requests, Failed: all.Failed}
	if all.Failed > 0 {
		r.Errors = all.Errors
	}
	return r
}

// plotted are the quantiles that a curve is drawn of; those of the tables are among them.
var plotted = []float64{0, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999}

func quantiles(s *load.Sample, at func(s *load.Sample, q float64) time.Duration) (all []report.Quantile) {
	for _, q := range plotted {
		if float64(s.Timed())*(1-q) < 1 {
			break // fewer than one request in so many would have been above
		}
		all = append(all, report.Quantile{Q: q, MS: millis(at(s, q))})
	}
	return all
}

func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// above is what of times are above those of the direct way, round by round, ms.
func above(samples, direct []*load.Sample, of func(*load.Sample) time.Duration) (added []float64) {
	for i := range samples {
		added = append(added, millis(of(samples[i])-of(direct[i])))
	}
	return added
}

// ratio is the median of ratios within rounds; rounds in which noise left nothing to divide
// by don't count. 0: none did.
func ratio(values, base []float64) float64 {
	var all []float64
	for i := range values {
		if base[i] > 0 {
			all = append(all, values[i]/base[i])
		}
	}
	return max(0, report.Median(all))
}
