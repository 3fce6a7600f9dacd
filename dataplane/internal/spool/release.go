package spool

// short tells whether acknowledgements must do: four fifths of the bound are needed for what
// is here, or the disk is full.
func (l *Log) short() bool { return !l.room.held || l.need(0) > l.opts.MaxBytes/5*4 }

// ackedWhole tells whether the broker has every record of a segment, and every batch that
// stands in it.
func (l *Log) ackedWhole(s *segment) bool {
	safe := append(spans(nil), l.bootState(s.boot).settled...)
	for _, ref := range l.batches {
		switch {
		case ref.taken():
			if ref.Boot == s.boot {
				safe.add(ref.First, ref.Last)
			}
		case ref.segment == s:
			return false
		}
	}
	return safe.coversAll(s.ends)
}

// letGo forgets where the batches of a segment that goes stood. What is left of those that
// are not settled is which numbers they had: runs of them take the room of one.
func (l *Log) letGo(s *segment) {
	records := int64(0)
	kept := l.batches[:0]
	for _, ref := range l.batches {
		if ref.segment == s {
			ref.segment = nil
			records += ref.Last - ref.First + 1
		}
		if n := len(kept); n > 0 && ref.continues(kept[n-1]) {
			kept[n-1].Last = ref.Last
			continue
		}
		kept = append(kept, ref)
	}
	clear(l.batches[len(kept):])
	l.batches = kept
	if records > 0 {
		l.released += records
		l.opts.Logger.Warn("space is short: a spool segment goes that the broker has and that is not settled yet",
			"segment", s.path, "records", records, "bytes", s.size, "max_bytes", l.opts.MaxBytes)
	}
}

// continues tells whether two released batches are one run.
func (r *batchRef) continues(before *batchRef) bool {
	return r.segment == nil && before.segment == nil &&
		r.Boot == before.Boot && r.agent == before.agent && r.First == before.Last+1
}
