package spool

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Forgo counts what Start or Again found no room for, so that it may be served without a
// record of its own: a request, where id is 0, or another attempt of the one that Start
// gave the id. Again and End take the id that it returns. When it returns, what it counted
// survives kill -9: a request that nobody ends stays counted, its attempts as unpriced.
// Errors: ErrFull, when nothing can be counted either; ErrNotOpen, ErrClosed.
func (l *Log) Forgo(id uint64, record *usagev1.UsageRecord) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.forgoes(); err != nil {
		return 0, err
	}
	if id != 0 {
		return id, l.forgoAttempt(id, record)
	}
	t, was := &l.tombstone, l.tombstone
	one := begunOf(record)
	id = forgone | (t.lastID + 1)
	if t.now.id == uuid.Nil {
		t.now.id, t.since = uuid.New(), time.Now()
	}
	t.pending = t.pending.plus(one)
	err := t.charges.begin(id, l.boot, record)
	if err == nil {
		err = t.save(l.boot)
	}
	if err != nil {
		*t = was
		t.charges.forget(id)
		t.unsaved = true
		return 0, err
	}
	t.lastID++
	t.open[id] = one
	t.requests, t.shadows = t.requests+one.requests, t.shadows+one.shadows
	signal(l.dirty)
	return id, nil
}

// forgoes says why nothing can be counted in the tombstone.
func (l *Log) forgoes() error {
	switch {
	case l.closed || l.retired:
		return ErrClosed
	case l.failed != nil:
		return l.failed
	}
	return l.tombstone.slots.why
}

// Forgoes says why no request may be served without a record; nil: one may.
func (l *Log) Forgoes() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.forgoes()
}

// forgoAttempt notes how many attempts a request has begun: those of its start are in the
// spool, and its end will have them all. Only where that never comes are they lost.
func (l *Log) forgoAttempt(id uint64, record *usagev1.UsageRecord) error {
	t := &l.tombstone
	if _, ok := l.open[id]; !ok || l.late.has(id) {
		return fmt.Errorf("forgo an attempt of %d: %w", id, ErrNotOpen)
	}
	was, known := t.beyond[id]
	if !known && len(t.beyond) == maxBeyond {
		return fmt.Errorf("%w: attempts of %d requests are not recorded", ErrFull, maxBeyond)
	}
	t.beyond[id] = len(record.GetAttempts())
	if err := t.save(l.boot); err != nil {
		if t.beyond[id] = was; !known {
			delete(t.beyond, id)
		}
		return err
	}
	signal(l.dirty)
	return nil
}

// forgoneAgain is Again of a request without a record.
func (l *Log) forgoneAgain(id uint64, record *usagev1.UsageRecord) error {
	if l.closed {
		return ErrClosed
	}
	t := &l.tombstone
	was, ok := t.open[id]
	if !ok {
		return fmt.Errorf("start %d again: %w", id, ErrNotOpen)
	}
	if err := t.charges.begin(id, l.boot, record); err != nil {
		return err
	}
	pending, one := t.pending, begunOf(record)
	t.pending = t.pending.less(was).plus(one)
	if err := t.save(l.boot); err != nil {
		t.pending = pending
		return err
	}
	t.open[id] = one
	signal(l.dirty)
	return nil
}

// forgoneEnd is End of a request without a record. What can't be written waits in memory:
// on disk it is counted already, without its price.
func (l *Log) forgoneEnd(id uint64, record *usagev1.UsageRecord) error {
	if l.closed {
		return ErrClosed
	}
	t := &l.tombstone
	was, ok := t.open[id]
	if !ok {
		return fmt.Errorf("end %d: %w", id, ErrNotOpen)
	}
	delete(t.open, id)
	t.charges.end(id, l.boot, record)
	t.pending, t.now.sum = t.pending.less(was), t.now.plus(sumOf(record))
	if len(t.open) == 0 {
		t.pending = sum{} // it has the time of the first
	}
	l.saveStone()
	signal(l.dirty) // what is not written is tried again
	return nil
}
