package price

import (
	"fmt"
	"math"
	"math/bits"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// maxFactor bounds numerators and denominators: three factors together have 30 bits.
const maxFactor = 1000

// ratio is a factor that is exact.
type ratio struct{ over, under uint64 }

var one = ratio{1, 1}

func newRatio(f *policyv1.Factor) (ratio, error) {
	if f.GetNumerator() < 1 || f.GetNumerator() > maxFactor || f.GetDenominator() < 1 || f.GetDenominator() > maxFactor {
		return one, fmt.Errorf("factor %d/%d: both are to be within 1 and %d", f.GetNumerator(), f.GetDenominator(), maxFactor)
	}
	return ratio{uint64(f.GetNumerator()), uint64(f.GetDenominator())}, nil
}

func (r ratio) times(other ratio) ratio { return ratio{r.over * other.over, r.under * other.under} }

// sum is 128 bits of pico-dollars. Twenty products of a count and a rate are below 2^95, and
// below 2^125 times three factors.
type sum struct{ high, low uint64 }

// add takes a count and a rate that are within bounds and not negative.
func (s *sum) add(count, rate int64) { s.plus(product(uint64(count), uint64(rate))) }

func product(a, b uint64) sum {
	high, low := bits.Mul64(a, b)
	return sum{high, low}
}

func (s *sum) plus(other sum) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, other.low, 0)
	s.high, _ = bits.Add64(s.high, other.high, carry)
}

// times needs a product that fits.
func (s sum) times(n uint64) sum {
	all := product(s.low, n)
	all.high += s.high * n
	return all
}

// all adds what tokens cost; false: one that was used has no price, or can't be counted.
func (s *sum) all(rates *bucketRates, tokens *bucketCounts) bool {
	for bucket, count := range tokens {
		if count == 0 {
			continue
		}
		if count < 0 || count > maxCount || rates[bucket] == unknown {
			return false
		}
		s.add(count, rates[bucket])
	}
	return true
}

// nano is the sum times a factor, and what the factor is not of, rounded half up; false: it
// does not fit.
func (s sum) nano(factor ratio, flat sum) (int64, bool) {
	const picoPerNano = 1000
	all := s.times(factor.over)
	all.plus(flat.times(factor.under))
	divisor := picoPerNano * factor.under // even
	all.plus(sum{low: divisor / 2})
	if all.high >= divisor {
		return 0, false
	}
	nano, _ := bits.Div64(all.high, all.low, divisor)
	if nano > math.MaxInt64 {
		return 0, false
	}
	return int64(nano), true
}
