package spool

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var errGone = errors.New("segment was removed")

// Next waits for the oldest batches that are to be sent and returns them in order, at least
// one and at most so many; again the same ones until Acked. When none is closed, it closes
// what is fsynced: as many as are full, at 500 records or 256 KiB, or one 200 ms after the
// first record of it. An error of closeBatch comes out of Next; nothing is lost by it. Errors:
// of closeBatch, ctx.Err, ErrClosed, reading the disk.
func (l *Log) Next(ctx context.Context, most int, closeBatch CloseBatch) ([]Batch, error) {
	l.read.Lock()
	defer l.read.Unlock()
	for {
		changed := l.changes()
		batches, err := l.take(closeBatch, l.opts.Linger, most)
		if len(batches) > 0 || err != nil {
			return batches, err
		}
		if err := l.wait(ctx, changed, l.cursor.due(l.opts.Linger)); err != nil {
			return nil, err
		}
	}
}

// Flush is Next without waiting for a batch to fill: for a shutdown. It returns none when
// nothing is left to send.
func (l *Log) Flush(ctx context.Context, most int, closeBatch CloseBatch) ([]Batch, error) {
	l.read.Lock()
	defer l.read.Unlock()
	if err := l.syncWritten(ctx); err != nil {
		return nil, err
	}
	for {
		changed := l.changes()
		signal(l.kick)
		batches, err := l.take(closeBatch, 0, most)
		if len(batches) > 0 || err != nil || l.nothingToSend() {
			return batches, err
		}
		if err := l.wait(ctx, changed, nil); err != nil {
			return nil, err
		}
	}
}

// Acked says that the broker has the batches. They stay on disk until they are settled, or
// space is short.
func (l *Log) Acked(batches ...Batch) { l.sent(batches, false) }

// PassOver says that nobody takes the batch as it is, now: what is behind it goes on. It stays
// on disk, and is sent again as one that the broker lost.
func (l *Log) PassOver(batch Batch) { l.sent([]Batch{batch}, true) }

func (l *Log) sent(batches []Batch, refused bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	firsts := make(map[batchKey]bool, len(batches))
	for _, b := range batches {
		firsts[batchKey{b.Boot, b.First, b.Last}] = true
	}
	for _, ref := range l.batches {
		if firsts[ref.batchKey] {
			ref.acked, ref.refused = l.opts.Now(), refused
		}
	}
	if l.short() {
		signal(l.dirty)
	}
}

func (l *Log) take(closeBatch CloseBatch, linger time.Duration, most int) (batches []Batch, err error) {
	refs, waiting := l.unsent(most)
	if len(refs) == 0 && !waiting {
		return nil, l.closeSome(closeBatch, linger, most)
	}
	for _, ref := range refs {
		batch, err := l.load(ref)
		if errors.Is(err, errGone) { // settled just now
			continue
		}
		if err != nil {
			return batches, err
		}
		batches = append(batches, batch)
	}
	return batches, nil
}

// unsent are the oldest that are to be sent, as far as they are fsynced; waiting: there are
// others.
func (l *Log) unsent(most int) (refs []*batchRef, waiting bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ref := range l.batches {
		if !ref.acked.IsZero() {
			continue
		}
		if len(refs) == most || ref.offset+ref.length > ref.segment.durable {
			return refs, true
		}
		refs = append(refs, ref)
	}
	return refs, false
}

// closeSome closes as many batches as are full, or one that is due.
func (l *Log) closeSome(closeBatch CloseBatch, linger time.Duration, most int) error {
	for range most {
		closed, err := l.closeNext(closeBatch, linger)
		if err != nil || !closed {
			return err
		}
	}
	return nil
}

// closeNext closes what is pending, if it is time.
func (l *Log) closeNext(closeBatch CloseBatch, linger time.Duration) (closed bool, err error) {
	full, err := l.gather()
	if err != nil || len(l.cursor.pending) == 0 {
		return false, err
	}
	if !full && time.Since(l.cursor.since) < linger {
		return false, nil
	}
	boot, pending := l.cursor.boot, l.cursor.pending
	value, err := closeBatch(boot, l.cursor.records())
	if err != nil {
		return false, fmt.Errorf("close batch: %w", err)
	}
	head := headOf(boot, pending, l.opts.Now())
	head.Agent = l.shipper()
	frame, err := encodeBatch(head, value)
	if err != nil {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s, offset, err := l.appendFreeing(frame)
	if err != nil {
		return false, err
	}
	l.index(s, head, offset, int64(len(frame)), time.Now())
	l.unbatched = max(0, l.unbatched-head.Bytes)
	l.cursor.clear()
	signal(l.kick)
	return true, nil
}

// syncWritten waits until all that is written now is durable.
func (l *Log) syncWritten(ctx context.Context) error {
	l.mu.Lock()
	s, size := l.current(), l.current().size
	l.mu.Unlock()
	for {
		l.mu.Lock()
		durable, changed, failed := s.durable >= size, l.changed, l.failed
		l.mu.Unlock()
		if durable || failed != nil {
			return failed
		}
		signal(l.kick)
		if err := l.wait(ctx, changed, nil); err != nil {
			return err
		}
	}
}

func (l *Log) nothingToSend() bool {
	if len(l.cursor.pending) > 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ref := range l.batches {
		if ref.acked.IsZero() {
			return false
		}
	}
	s := l.current()
	return s.durable == s.size && l.cursor.number == s.number && l.cursor.offset == s.size
}

func (l *Log) changes() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

func (l *Log) wait(ctx context.Context, changed <-chan struct{}, due <-chan time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-l.stopped:
		return ErrClosed
	case <-changed:
	case <-due:
	}
	return nil
}
