package ingest

import "fmt"

// known is what the boots of a slice have claimed and lost so far.
type known struct {
	claims claims
	merged map[bootID]seqs // claims of old, without hashes
	dead   map[content]deadSeqs
	// accepted by an operator although their agents were revoked.
	accepted map[content]bool
}

// content is what one boot signed once.
type content struct {
	boot   bootID
	sha256 [32]byte
}

// deadSeqs are numbers that a content claimed and that are no rows.
type deadSeqs struct {
	seqs seqs
	// kept: they are safe in the dead-letter topic.
	kept bool
	// revivedBy is the record that is making rows of them.
	revivedBy *position
}

// judge looks at claims, and where there is none at what they were merged into. A
// hash of old is not known any more: the first arrival stands, and what lies wholly
// inside is taken for it.
func (k known) judge(c claim) verdict {
	other := k.claims.overlapping(c)
	in := seqRange{c.first, c.last}
	switch {
	case other != nil || !k.merged[c.boot].overlaps(in):
		return judge(c, other)
	case k.merged[c.boot].covers(in):
		return repeat
	default:
		return conflict
	}
}

// unclaimed are the numbers of a batch that nobody claimed.
func (k known) unclaimed(b incoming) seqs {
	out := seqs{b.span()}
	for _, c := range k.claims[b.boot.bootID] {
		out = out.without(seqRange{c.first, c.last})
	}
	for _, r := range k.merged[b.boot.bootID] {
		out = out.without(r)
	}
	return out
}

// judged is a slice after judgement.
type judged struct {
	taken   []incoming
	fresh   []claim
	revived []claim // of taken batches that were dead until now
	repeats int
	dead    []deadLetter
}

// judgement goes through batches in the order of offsets. When replaying it takes
// only what was claimed before: anything else would change a noted block. Fresh
// claims are added to what is known.
type judgement struct {
	known  known
	at     func(offset int64) position
	replay bool
	judged
}

// all puts aside what a revoked agent's key signed and nobody claimed before: whoever
// has the key may have signed it. None of it is settled, unless an operator accepted it.
func (j *judgement) all(batches []incoming) judged {
	for _, b := range batches {
		c := b.claim(j.at(b.source.offset))
		switch v := j.known.judge(c); {
		case v == mine:
			j.take(b)
		case v == repeat:
			j.again(b, c)
		case b.boot.revoked && !j.known.accepted[content{b.boot.bootID, b.sha256}]:
			j.dead = append(j.dead, b.unbelievedLetter(j.known.unclaimed(b)))
		case v == conflict:
			err := fmt.Errorf("%w: agent %s boot %s seq %d..%d", errConflict, b.boot.agent, b.boot.boot, b.first, b.last)
			j.dead = append(j.dead, b.letter(reasonConflict, err, j.known.unclaimed(b)))
		default:
			j.begin(b, c)
		}
	}
	return j.judged
}

func (j *judgement) take(b incoming) {
	j.taken = append(j.taken, b)
	j.dead = append(j.dead, b.letters(true)...)
}

// begin takes what nobody has. A batch without rows claims nothing: should its
// numbers come as rows one day, they are welcome.
func (j *judgement) begin(b incoming, c claim) {
	switch {
	case b.unreadable != nil:
		j.dead = append(j.dead, b.letter(reasonOf(b.unreadable), b.unreadable, seqs{b.span()}))
	case len(b.rows) == 0:
		j.dead = append(j.dead, b.letters(false)...)
	case j.replay:
		j.dead = append(j.dead, newDeadLetter(b.source, reasonUnknownAgent, errNotNoted))
	default:
		j.fresh = append(j.fresh, c)
		j.known.claims.add(c)
		j.take(b)
	}
}

// again looks at a repeat: what of it is dead may be a row by now.
func (j *judgement) again(b incoming, c claim) {
	dead, ok := j.known.dead[content{b.boot.bootID, b.sha256}]
	mine := ok && dead.revivedBy != nil && *dead.revivedBy == c.at
	if !ok || dead.revivedBy != nil && !mine {
		j.repeats++
		return
	}
	left := b.only(dead.seqs)
	left.revived = true
	switch {
	case mine:
		j.take(left)
	case len(left.rows) > 0 && !j.replay:
		dead.revivedBy = &c.at
		j.known.dead[content{b.boot.bootID, b.sha256}] = dead
		j.revived = append(j.revived, c)
		j.take(left)
	case !dead.kept:
		j.dead = append(j.dead, left.letters(true)...)
	default:
		j.repeats++
	}
}
