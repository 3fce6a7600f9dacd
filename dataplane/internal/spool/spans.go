package spool

import (
	"cmp"
	"slices"
)

// span is first..last, inclusive.
type span struct{ First, Last int64 }

// spans is a set of numbers: sorted, disjoint, never touching.
type spans []span

func (s *spans) add(first, last int64) {
	if last < first {
		return
	}
	all := *s
	// The usual case: the next number of the last span.
	if n := len(all); n > 0 && all[n-1].First <= first && first-1 <= all[n-1].Last {
		all[n-1].Last = max(all[n-1].Last, last)
		return
	}
	from, _ := slices.BinarySearchFunc(all, first-1, func(e span, n int64) int { return cmp.Compare(e.Last, n) })
	to := from
	for to < len(all) && all[to].First <= last+1 {
		first, last = min(first, all[to].First), max(last, all[to].Last)
		to++
	}
	*s = slices.Replace(all, from, to, span{first, last})
}

func (s spans) covers(first, last int64) bool {
	i, _ := slices.BinarySearchFunc(s, first, func(e span, n int64) int { return cmp.Compare(e.Last, n) })
	return i < len(s) && s[i].First <= first && last <= s[i].Last
}

func (s spans) coversAll(of spans) bool {
	for _, e := range of {
		if !s.covers(e.First, e.Last) {
			return false
		}
	}
	return true
}

func (s spans) intersect(first, last int64) spans {
	var both spans
	for _, e := range s {
		both.add(max(first, e.First), min(last, e.Last))
	}
	return both
}

// without counts the numbers in s that are not in other.
func (s spans) without(other spans) (count int64) {
	for _, e := range s {
		count += e.Last - e.First + 1
		for _, both := range other.intersect(e.First, e.Last) {
			count -= both.Last - both.First + 1
		}
	}
	return count
}

func (s spans) last() int64 {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].Last
}
