package price

import (
	"fmt"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	// maxRate bounds a price, pico-dollars per token: one dollar for one token.
	maxRate = 1_000_000_000_000
	// maxCount bounds what is counted, as stores do: sums of products fit 128 bits.
	maxCount = 1 << 50
	// unknown marks a bucket without a price.
	unknown = -1
)

const (
	input = iota
	cacheRead
	cacheWrite5m
	cacheWrite1h
	output
	reasoning
	inputAudio
	outputAudio
	inputImage
	outputImage
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
		inputImage:   u.GetInputImage(),
		outputImage:  u.GetOutputImage(),
	}
}

// prompt are the buckets of input in the order in which a prompt has them: caches keep its
// beginning, those of an hour before those of five minutes.
var prompt = [...]int{cacheRead, cacheWrite1h, cacheWrite5m, inputAudio, inputImage, input}

// allInput is what providers compare with a long-context threshold.
func (c *bucketCounts) allInput() (all int64) {
	for _, bucket := range prompt {
		all += min(c[bucket], maxCount) // more has no price
	}
	return all
}

// split divides the input at a threshold; all output is below.
func (c *bucketCounts) split(threshold int64) (below, beyond bucketCounts) {
	below = *c
	for _, bucket := range prompt {
		below[bucket] = min(c[bucket], max(threshold, 0))
		beyond[bucket] = c[bucket] - below[bucket]
		threshold -= c[bucket]
	}
	return below, beyond
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
		inputImage:   r.InputImage,
		outputImage:  r.OutputImage,
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
