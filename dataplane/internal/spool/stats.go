package spool

import (
	"fmt"
	"time"
)

// Stats is what the spool holds now.
type Stats struct {
	Bytes     int64         // of all segments
	MaxBytes  int64         // that they may have
	Records   int64         // written and not settled
	Unsent    int64         // of Records, those that no broker took since Open
	Open      int           // started and not ended
	Late      int           // ended, and waiting in memory for room on the disk; among Open
	OldestAge time.Duration // since the oldest batch that is not settled was closed, or the oldest record in none was written
	Damaged   int64         // stretches of bytes lost to damage, found since Open
	Refused   int64         // of Unsent, those in batches that nobody takes as they are
	Released  int64         // since Open: gone from the disk on an acknowledgement alone; of Records until they are settled
	// Forgone are requests and copies for shadows that were served without a record since Open.
	ForgoneRequests, ForgoneShadows int64
	Tombstone                       Tombstone
}

// Tombstone is what was served without a record and is in no record yet.
type Tombstone struct {
	Requests, Shadows, Attempts, UnpricedAttempts int64 // with those that go on
	CostNanoUSD                                   int64
	Age                                           time.Duration // since the first of them was counted
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
	s := Stats{
		Bytes: l.bytes, MaxBytes: l.opts.MaxBytes, OldestAge: l.oldest(), Open: len(l.open), Late: len(l.late.ends),
		Damaged: l.lost, Released: l.released,
	}
	for _, b := range l.boots {
		s.Records += b.unsettled()
		s.Unsent += b.written.without(b.batched)
	}
	for _, ref := range l.batches {
		if !ref.taken() {
			s.Unsent += ref.Last - ref.First + 1
		}
		if ref.refused {
			s.Refused += ref.Last - ref.First + 1
		}
	}
	s.Tombstone = l.tombstone.stats()
	s.ForgoneRequests, s.ForgoneShadows = l.tombstone.requests, l.tombstone.shadows
	return s
}

// stats has no stone whose record is written: that is among Records.
func (t *tombstone) stats() Tombstone {
	all := t.filling().sum
	if t.in == nil {
		all = all.plus(t.spent.sum)
	}
	s := Tombstone{
		Requests: all.requests, Shadows: all.shadows, Attempts: all.attempts, UnpricedAttempts: all.unpriced, CostNanoUSD: all.cost,
	}
	if !all.nothing() {
		s.Age = time.Since(t.since)
	}
	return s
}
