package ingest

// outcome is what became of a range, as usage_range has it.
type outcome struct {
	boot boot
	seqRange
	dead   bool
	sha256 [32]byte
	offset int64
}

// ranges says of each number what became of it: a row, or dead and kept.
func (j judged) ranges() []outcome {
	var out []outcome
	for _, b := range j.taken {
		for _, r := range b.stored() {
			out = append(out, outcome{b.boot, r, false, b.sha256, b.source.offset})
		}
	}
	for _, l := range j.dead {
		if !l.kept() {
			continue
		}
		for _, r := range l.signed.seqs {
			out = append(out, outcome{l.signed.boot, r, true, l.signed.sha256, l.source.offset})
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
