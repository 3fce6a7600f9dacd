package lookout

import "slices"

const (
	week = 7 * 24 // hours
	// mostWeeks are compared with; with fewer than leastWeeks nothing is said.
	mostWeeks  = 4
	leastWeeks = 2
	// floor in nano-dollars: what costs less above the usual is not worth a word.
	floor = 10_000_000_000
)

// boundOf is what an hour may cost that is no stranger than those of the weeks before, in
// nano-dollars, and their median. Both are of the middle, so that one odd week does not
// matter: the bound is above the median by five times the scatter (the median distance from
// it, 1.4826 times which is the standard deviation of what is spread normally), by the
// median itself, or by the floor, whichever is the greatest.
func boundOf(before []int64) (median, bound int64) {
	median = middle(before)
	distances := make([]int64, len(before))
	for i, spent := range before {
		distances[i] = max(spent-median, median-spent)
	}
	scatter := middle(distances) / 1000 * 7413 // 5 × 1.4826; nothing below a micro-dollar matters
	return median, median + max(scatter, median, floor)
}

// middle is the median; of an even number of values the mean of the two in the middle. It
// has at least one value.
func middle(values []int64) int64 {
	sorted := slices.Sorted(slices.Values(values))
	low, high := sorted[(len(sorted)-1)/2], sorted[len(sorted)/2]
	return low + (high-low)/2
}
