package spool

import (
	"fmt"
	"time"
)

// Stats is what the spool holds now.
type Stats struct {
	Bytes     int64         // of all segments
	Records   int64         // written and not settled
	Unsent    int64         // of Records, those that no broker took since Open
	Open      int           // started and not ended
	Late      int           // ended, and waiting in memory for room on the disk; among Open
	OldestAge time.Duration // since the oldest batch that is not settled was closed
	Damaged   int64         // stretches of bytes lost to damage, found since Open
}

// Fault says why no request may start now; nil: one may.
func (l *Log) Fault() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.failed
	}
	if n := len(l.late.ends); n > 0 {
		return fmt.Errorf("%w: %d ends wait for room on the disk", ErrFull, n)
	}
	return l.admit(0)
}

// Stats returns what the spool holds.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{Bytes: l.bytes, Open: len(l.open), Late: len(l.late.ends), Damaged: l.lost}
	for _, b := range l.boots {
		s.Records += b.unsettled()
		s.Unsent += b.written.without(b.batched)
	}
	for _, ref := range l.batches {
		if ref.acked.IsZero() {
			s.Unsent += ref.Last - ref.First + 1
		}
	}
	if len(l.batches) > 0 {
		s.OldestAge = l.opts.Now().Sub(l.batches[0].at)
	}
	return s
}
