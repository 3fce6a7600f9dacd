package spool

import (
	"github.com/google/uuid"

	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// sum is what requests without a record add up to: how many, what they cost in
// nano-dollars, tokens by bucket, and from when to when, in microseconds since the epoch.
// Each stays within what a store keeps of it.
type sum struct {
	requests, shadows, attempts, unpriced, cost int64
	tokens                                      [8]int64
	first, last                                 int64 // 0: of none
}

// sumOf is what one request adds once it ended.
func sumOf(r *usagev1.UsageRecord) sum {
	s := begunOf(r)
	s.unpriced, s.last = 0, r.GetStartedAtUs()+r.GetDurationUs()
	for _, a := range r.GetAttempts() {
		if a.CostNanoUsd == nil {
			s.unpriced++
		} else {
			s.pay(a.GetCostNanoUsd(), 1)
		}
		s.tokens = plus(s.tokens, buckets(a.GetUsage()))
	}
	return s
}

// begunOf is what one adds as long as nobody knows its end: attempts without a price.
func begunOf(r *usagev1.UsageRecord) sum {
	n := int64(len(r.GetAttempts()))
	s := sum{requests: 1, attempts: n, unpriced: n, first: r.GetStartedAtUs(), last: r.GetStartedAtUs()}
	if r.GetKind() == usagev1.Kind_KIND_SHADOW {
		s.requests, s.shadows = 0, 1
	}
	return s
}

// pay adds a cost; where the sum has no room for it, it is unknown what these attempts cost.
func (s *sum) pay(cost, attempts int64) {
	if cost < 0 || cost > batch.MaxLossCostNanoUSD-s.cost {
		s.unpriced = within(s.unpriced + attempts)
		return
	}
	s.cost += cost
}

func (s sum) plus(o sum) sum {
	s.requests = within(s.requests + o.requests)
	s.shadows = within(s.shadows + o.shadows)
	s.attempts = within(s.attempts + o.attempts)
	s.unpriced = within(s.unpriced + o.unpriced)
	s.pay(o.cost, o.attempts-o.unpriced)
	s.tokens = plus(s.tokens, o.tokens)
	if o.first > 0 && (s.first == 0 || o.first < s.first) {
		s.first = o.first
	}
	s.last = max(s.last, o.last)
	return s
}

// less takes back what one that had begun adds.
func (s sum) less(o sum) sum {
	s.requests, s.shadows = max(0, s.requests-o.requests), max(0, s.shadows-o.shadows)
	s.attempts, s.unpriced = max(0, s.attempts-o.attempts), max(0, s.unpriced-o.unpriced)
	return s
}

func (s sum) nothing() bool { return s.requests == 0 && s.shadows == 0 && s.attempts == 0 }

// within bounds counts as a record is bounded; tokens have the same bound.
func within(n int64) int64 { return min(max(n, 0), batch.MaxLossCount) }

func plus(a, b [8]int64) [8]int64 {
	for i := range a {
		a[i] = within(a[i] + within(b[i]))
	}
	return a
}

func buckets(u *usagev1.TokenUsage) [8]int64 {
	return [8]int64{ // those of images stand with text, as stores have them
		u.GetInput() + u.GetInputImage(), u.GetCacheRead(), u.GetCacheWrite_5M(), u.GetCacheWrite_1H(),
		u.GetOutput() + u.GetOutputImage(), u.GetReasoning(), u.GetInputAudio(), u.GetOutputAudio(),
	}
}

// numbers are the fields in the order in which they are stored.
func (s *sum) numbers() (all [15]*int64) {
	copy(all[:], []*int64{&s.requests, &s.shadows, &s.attempts, &s.unpriced, &s.cost, &s.first, &s.last})
	for i := range s.tokens {
		all[7+i] = &s.tokens[i]
	}
	return all
}

// stone is a tombstone. Its record has its id as request id, so that whoever finds both
// knows that they are one.
type stone struct {
	id uuid.UUID // uuid.Nil: there is none
	sum
}

func (s stone) record() *usagev1.UsageRecord {
	t := s.tokens
	return &usagev1.UsageRecord{
		RequestId: s.id.String(), Kind: usagev1.Kind_KIND_TOMBSTONE,
		StartedAtUs: max(s.first, 0), DurationUs: within(s.last - s.first),
		Loss: &usagev1.Loss{
			Requests: s.requests, Shadows: s.shadows, Attempts: s.attempts, UnpricedAttempts: min(s.unpriced, s.attempts), CostNanoUsd: s.cost,
			Usage: &usagev1.TokenUsage{
				Input: t[0], CacheRead: t[1], CacheWrite_5M: t[2], CacheWrite_1H: t[3],
				Output: t[4], Reasoning: t[5], InputAudio: t[6], OutputAudio: t[7],
			},
		},
	}
}
