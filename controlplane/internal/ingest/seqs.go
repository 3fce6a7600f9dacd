package ingest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// seqRange is first..last, inclusive.
type seqRange struct{ first, last int64 }

// seqs is a set of sequence numbers: disjoint ranges in order.
type seqs []seqRange

// numbers makes the set of numbers that come in order.
func numbers(sorted []int64) seqs {
	var out seqs
	for _, n := range sorted {
		if last := len(out) - 1; last >= 0 && out[last].last == n-1 {
			out[last].last = n
			continue
		}
		out = append(out, seqRange{n, n})
	}
	return out
}

func (s seqs) holds(n int64) bool {
	return slices.ContainsFunc(s, func(r seqRange) bool { return r.first <= n && n <= r.last })
}

func (s seqs) covers(c seqRange) bool {
	return slices.ContainsFunc(s, func(r seqRange) bool { return r.first <= c.first && c.last <= r.last })
}

func (s seqs) overlaps(c seqRange) bool {
	return slices.ContainsFunc(s, func(r seqRange) bool { return r.first <= c.last && c.first <= r.last })
}

// without returns what is left of s.
func (s seqs) without(c seqRange) seqs {
	var out seqs
	for _, r := range s {
		if r.last < c.first || c.last < r.first {
			out = append(out, r)
			continue
		}
		if r.first < c.first {
			out = append(out, seqRange{r.first, c.first - 1})
		}
		if c.last < r.last {
			out = append(out, seqRange{c.last + 1, r.last})
		}
	}
	return out
}

// multirange is how Postgres takes a set; it merges what touches.
func (s seqs) multirange() pgtype.Multirange[pgtype.Range[int64]] {
	out := pgtype.Multirange[pgtype.Range[int64]]{}
	for _, r := range s {
		out = append(out, pgtype.Range[int64]{
			Lower: r.first, LowerType: pgtype.Inclusive, Upper: r.last, UpperType: pgtype.Inclusive, Valid: true,
		})
	}
	return out
}

func fromMultirange(from pgtype.Multirange[pgtype.Range[int64]]) seqs {
	out := make(seqs, len(from))
	for i, r := range from { // Postgres gives [first, last+1)
		out[i] = seqRange{r.Lower, r.Upper - 1}
	}
	return out
}

// maxListed bounds a list of ranges for people.
const maxListed = 50

func (s seqs) String() string {
	var out []string
	for i, r := range s {
		if i == maxListed {
			out = append(out, "…")
			break
		}
		if r.first == r.last {
			out = append(out, fmt.Sprint(r.first))
			continue
		}
		out = append(out, fmt.Sprintf("%d-%d", r.first, r.last))
	}
	return strings.Join(out, ",")
}
