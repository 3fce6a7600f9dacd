package price

// Most is an upper bound of what one attempt can use: tokens of whatever kind on
// either side, audio among them only where that is said.
type Most struct {
	Input, Output           int64
	InputAudio, OutputAudio bool
}

// WorstCase returns nano-dollars that no attempt within most exceeds: each token at
// the dearest price it can have. It is false where plain input or output has no
// known price, or audio is possible and has none, or the sum does not fit.
func (e *Entry) WorstCase(most Most) (nanoUSD int64, priced bool) {
	rates := e.rates.dearest(most)
	if e.longThreshold > 0 && most.Input > e.longThreshold {
		rates = rates.dearer(e.longRates.dearest(most)) // it may yet stay below the threshold
	}
	return rates.cost(bucketCounts{input: most.Input, output: most.Output})
}

// dearest has in input and output the highest price of the side. Buckets that
// have no price don't count: what falls into them is unpriced.
func (r *bucketRates) dearest(most Most) (worst bucketRates) {
	worst[input] = r.highest(input, cacheRead, cacheWrite5m, cacheWrite1h)
	worst[output] = r.highest(output, reasoning)
	if most.InputAudio {
		worst[input] = highest(worst[input], r[inputAudio])
	}
	if most.OutputAudio {
		worst[output] = highest(worst[output], r[outputAudio])
	}
	return worst
}

// highest is unknown where the first bucket is.
func (r *bucketRates) highest(first int, others ...int) int64 {
	rate := r[first]
	for _, bucket := range others {
		if rate != unknown {
			rate = max(rate, r[bucket])
		}
	}
	return rate
}

func (r bucketRates) dearer(other bucketRates) bucketRates {
	for bucket := range r {
		r[bucket] = highest(r[bucket], other[bucket])
	}
	return r
}

func highest(a, b int64) int64 {
	if a == unknown || b == unknown {
		return unknown
	}
	return max(a, b)
}
