package ingest

// outcome is what became of a range, as usage_range has it.
type outcome struct {
	boot boot
	seqRange
	dead bool
	// revoked: its agent was, and nobody takes its word for it.
	revoked bool
	sha256  [32]byte
	offset  int64
}

// ranges says of each number what became of it: a row, or dead and kept, or put aside
// since its agent was revoked.
func (j judged) ranges() []outcome {
	var out []outcome
	for _, b := range j.taken {
		for _, r := range b.stored() {
			out = append(out, outcome{boot: b.boot, seqRange: r, sha256: b.sha256, offset: b.source.offset})
		}
	}
	for _, l := range j.dead {
		of := l.unbelieved
		if l.kept() {
			of = l.signed
		}
		if of == nil {
			continue
		}
		for _, r := range of.seqs {
			out = append(out, outcome{boot: of.boot, seqRange: r, dead: true, revoked: !l.kept(), sha256: of.sha256, offset: l.source.offset})
		}
	}
	return out
}

// without turns refused records into dead letters.
func (j judged) without(refused refusals) judged {
	gone := map[place]bool{}
	for _, places := range refused {
		for _, p := range places {
			gone[p] = true
		}
	}
	for i, b := range j.taken {
		b.rows, b.bad = nil, nil
		for _, r := range j.taken[i].rows {
			if gone[place{b.source.offset, r.seq}] {
				b.bad = append(b.bad, badRecord{r.seq, errRefused})
				continue
			}
			b.rows = append(b.rows, r)
		}
		j.taken[i] = b
		j.dead = append(j.dead, b.letters(true)...)
	}
	return j
}
