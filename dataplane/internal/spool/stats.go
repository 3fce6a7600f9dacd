package spool

import "time"

// Stats is what the spool holds now.
type Stats struct {
	Bytes     int64         // of all segments
	Records   int64         // written and not settled
	Open      int           // started and not ended
	Late      int           // ended, and waiting in memory for room on the disk; among Open
	OldestAge time.Duration // since the oldest batch that is not settled was closed
	Damaged   int64         // stretches of bytes lost to damage, found since Open
}

// Stats returns what the spool holds.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{Bytes: l.bytes, Open: len(l.open), Late: len(l.late.ends), Damaged: l.lost}
	for _, b := range l.boots {
		s.Records += b.unsettled()
	}
	if len(l.batches) > 0 {
		s.OldestAge = l.opts.Now().Sub(l.batches[0].at)
	}
	return s
}
