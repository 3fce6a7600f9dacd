package price

import (
	"fmt"
	"math"
	"math/bits"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// unknown marks a bucket without a price.
const unknown = -1

const (
	input = iota
	cacheRead
	cacheWrite5m
	cacheWrite1h
	output
	reasoning
	inputAudio
	outputAudio
	buckets
)

type bucketCounts [buckets]int64

type bucketRates [buckets]int64

func counts(u *usagev1.TokenUsage) bucketCounts {
	return bucketCounts{
		input:        u.GetInput(),
		cacheRead:    u.GetCacheRead(),
		cacheWrite5m: u.GetCacheWrite_5M(),
		cacheWrite1h: u.GetCacheWrite_1H(),
		output:       u.GetOutput(),
		reasoning:    u.GetReasoning(),
		inputAudio:   u.GetInputAudio(),
		outputAudio:  u.GetOutputAudio(),
	}
}

// allInput is what providers compare with a long-context threshold.
func (c *bucketCounts) allInput() int64 {
	return c[input] + c[cacheRead] + c[cacheWrite5m] + c[cacheWrite1h] + c[inputAudio]
}

func newBucketRates(r *policyv1.Rates) (bucketRates, error) {
	if r == nil {
		r = &policyv1.Rates{}
	}
	stated := [buckets]*int64{
		input:        r.Input,
		cacheRead:    r.CacheRead,
		cacheWrite5m: r.CacheWrite_5M,
		cacheWrite1h: r.CacheWrite_1H,
		output:       r.Output,
		reasoning:    r.Output,
		inputAudio:   r.InputAudio,
		outputAudio:  r.OutputAudio,
	}
	var rates bucketRates
	for bucket, rate := range stated {
		if rate == nil {
			rates[bucket] = unknown
			continue
		}
		if *rate < 0 || *rate > maxRate {
			return rates, fmt.Errorf("price %d pico-dollars per token is not within 0 and %d", *rate, int64(maxRate))
		}
		rates[bucket] = *rate
	}
	return rates, nil
}

func (r *bucketRates) cost(tokens bucketCounts) (nanoUSD int64, priced bool) {
	var high, low uint64 // 128 bits of pico-dollars
	for bucket, count := range tokens {
		if count == 0 {
			continue
		}
		if count < 0 || r[bucket] == unknown {
			return 0, false
		}
		h, l := bits.Mul64(uint64(count), uint64(r[bucket]))
		var carry uint64
		low, carry = bits.Add64(low, l, 0)
		high, _ = bits.Add64(high, h, carry) // eight products below 2^104 each
	}
	return toNano(high, low)
}

func toNano(high, low uint64) (int64, bool) {
	const picoPerNano = 1000
	var carry uint64
	low, carry = bits.Add64(low, picoPerNano/2, 0)
	high += carry
	if high >= picoPerNano {
		return 0, false
	}
	nano, _ := bits.Div64(high, low, picoPerNano)
	if nano > math.MaxInt64 {
		return 0, false
	}
	return int64(nano), true
}
