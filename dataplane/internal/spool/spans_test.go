package spool

import (
	"math/rand/v2"
	"testing"
)

func TestSpansAgainstASet(t *testing.T) {
	for range 500 {
		var s, other spans
		set, otherSet := map[int64]bool{}, map[int64]bool{}
		for range rand.N(12) {
			add(&s, set)
			add(&other, otherSet)
		}
		for first := int64(1); first < 30; first++ {
			for last := first; last < 30; last++ {
				all := true
				for n := first; n <= last; n++ {
					all = all && set[n]
				}
				if s.covers(first, last) != all {
					t.Fatalf("%v covers %d..%d: %v", s, first, last, !all)
				}
			}
		}
		want := int64(0)
		for n := range set {
			if !otherSet[n] {
				want++
			}
		}
		if got := s.without(other); got != want {
			t.Fatalf("%v without %v: %d, want %d", s, other, got, want)
		}
		for i := 1; i < len(s); i++ {
			if s[i].First <= s[i-1].Last+1 {
				t.Fatalf("not merged: %v", s)
			}
		}
	}
}

func add(s *spans, set map[int64]bool) {
	first := 1 + rand.Int64N(25)
	last := first + rand.Int64N(6) - 1
	s.add(first, last)
	for n := first; n <= last; n++ {
		set[n] = true
	}
}
