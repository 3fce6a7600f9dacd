package price

// Most is an upper bound of what one attempt can use: tokens of whatever kind on
// either side, audio among them only where that is said. An answer may have images where an
// entry prices them, and needs such a price where that is said.
type Most struct {
	Input, Output           int64
	InputAudio, OutputAudio bool
	OutputImage             bool
	// Tier that is asked for, as Tier names it. A provider may serve it in the standard one
	// instead. Empty: it chooses among all but Batch and Fast, which nobody gets unasked.
	Tier string
	// Geo that is asked for; empty: the provider chooses among all.
	Geo string
}

// WorstCase returns nano-dollars that no attempt within most exceeds: each token at
// the dearest price it can have, in each way that it may be served. It is false where plain
// input or output has no known price, or audio or an image is possible and has none, or the
// sum does not fit.
func (e *Entry) WorstCase(most Most) (nanoUSD int64, priced bool) {
	usual := &e.standard
	asked, known := e.tier(most.Tier)
	if known {
		usual = asked
	}
	factor := e.region.times(e.dearestGeo(most.Geo))
	worst, ok := e.worst(usual, most, factor, true)
	if !ok {
		return 0, false
	}
	others := []*rateSet{&e.standard}
	if !known && most.Tier != Standard {
		for i := range e.tiers {
			if name := e.tiers[i].name; name != Fast && name != Batch {
				others = append(others, &e.tiers[i].rateSet)
			}
		}
	}
	for _, set := range others {
		nano, ok := e.worst(set, most, factor, false)
		if !ok {
			return 0, false
		}
		worst = max(worst, nano)
	}
	return worst, true
}

// dearestGeo is 1 at least: a request may be served where nothing is added.
func (e *Entry) dearestGeo(asked string) ratio {
	if asked == Global {
		return one
	}
	worst, known := factorOf(e.geos, asked)
	if known {
		return worst
	}
	for _, g := range e.geos {
		if g.factor.over*worst.under > worst.over*g.factor.under {
			worst = g.factor
		}
	}
	return worst
}

// worst is the bound in one tier. Where it is not needed, what falls into a bucket without
// a price is unpriced, and does not count.
func (e *Entry) worst(set *rateSet, most Most, factor ratio, needed bool) (nanoUSD int64, priced bool) {
	within, ok := set.rates.dearest(most)
	if needed && !ok {
		return 0, false
	}
	tokens := bucketCounts{input: most.Input, output: most.Output}
	var total, long sum
	fits := total.all(&within, &tokens)
	if e.threshold > 0 && most.Input > e.threshold {
		beyond, ok := set.long.dearest(most)
		if needed && !ok {
			return 0, false
		}
		if e.marginal {
			above := bucketCounts{input: most.Input - e.threshold}
			below := bucketCounts{input: e.threshold, output: most.Output}
			beyond[input] = max(beyond[input], within[input])
			fits = fits && long.all(&within, &below) && long.all(&beyond, &above)
		} else {
			fits = fits && long.all(&beyond, &tokens)
		}
	}
	if !fits {
		return 0, false
	}
	flat := product(1, uint64(e.perRequest))
	factor = factor.times(set.factor)
	nanoUSD, priced = total.nano(factor, flat)
	beyond, fits := long.nano(factor, flat)
	return max(nanoUSD, beyond), priced && fits
}

// dearest has in input and output the highest price of the side; false: the plain one, or
// that of audio or images where they are possible, is not known. Buckets that have no price don't count:
// what falls into them is unpriced.
func (r *bucketRates) dearest(most Most) (worst bucketRates, known bool) {
	known = (most.Input == 0 || r[input] != unknown) && (most.Output == 0 || r[output] != unknown)
	worst[input] = max(r[input], r[cacheRead], r[cacheWrite5m], r[cacheWrite1h], r[inputImage], 0)
	worst[output] = max(r[output], r[outputImage], 0)
	if most.InputAudio {
		known = known && r[inputAudio] != unknown
		worst[input] = max(worst[input], r[inputAudio])
	}
	if most.OutputAudio {
		known = known && r[outputAudio] != unknown
		worst[output] = max(worst[output], r[outputAudio])
	}
	known = known && (!most.OutputImage || r[outputImage] != unknown)
	return worst, known
}
