package ingest

import (
	"errors"
	"slices"
	"sort"
)

// claim says which Kafka record a range of a boot was taken from.
type claim struct {
	boot        bootID
	first, last int64
	sha256      [32]byte
	at          position
}

// position of a record in the usage topic, whatever the topic's id.
type position struct {
	topicID   [16]byte
	partition int
	offset    int64
}

// after tells of two positions in one partition.
func (p position) after(q position) bool {
	return p.topicID == q.topicID && p.partition == q.partition && p.offset > q.offset
}

type verdict int

const (
	// fresh: nobody has any of it; claim it.
	fresh verdict = iota
	// mine: this very record claimed it before.
	mine
	// repeat: another record brought the same; drop it.
	repeat
	// conflict: another record brought something else for some of it.
	conflict
)

var (
	errConflict = errors.New("the range came before with other content")
	errNotNoted = errors.New("not among what was noted when it was read first")
)

// judge decides about one batch, given a claim that overlaps it, if there is one.
func judge(candidate claim, other *claim) verdict {
	switch {
	case other == nil:
		return fresh
	case other.first != candidate.first || other.last != candidate.last || other.sha256 != candidate.sha256:
		return conflict
	case other.at == candidate.at:
		return mine
	default:
		return repeat
	}
}

// claims holds the ranges of each boot, disjoint and in order.
type claims map[bootID][]claim

// overlapping returns the first claim that shares a number with c, but for those of later
// records of its partition: when c was judged first they were not there.
func (cs claims) overlapping(c claim) *claim {
	of := cs[c.boot]
	i := sort.Search(len(of), func(i int) bool { return of[i].last >= c.first })
	for ; i < len(of) && of[i].first <= c.last; i++ {
		if !of[i].at.after(c.at) {
			return &of[i]
		}
	}
	return nil
}

// add keeps the order; c overlaps none.
func (cs claims) add(c claim) {
	of := cs[c.boot]
	i := sort.Search(len(of), func(i int) bool { return of[i].first > c.first })
	cs[c.boot] = slices.Insert(of, i, c)
}

func (b incoming) claim(at position) claim {
	return claim{boot: b.boot.bootID, first: b.first, last: b.last, sha256: b.sha256, at: at}
}
