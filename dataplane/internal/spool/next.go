package spool

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var errGone = errors.New("segment was removed")

// Next waits for the oldest batch that is to be sent and returns it; again the
// same one until Acked. When none is closed, it closes one of what is fsynced:
// when 500 records or 256 KiB are there, or 200 ms after the first of them. An
// error of closeBatch comes out of Next; nothing is lost by it. Errors: of
// closeBatch, ctx.Err, ErrClosed, reading the disk.
func (l *Log) Next(ctx context.Context, closeBatch CloseBatch) (Batch, error) {
	l.read.Lock()
	defer l.read.Unlock()
	for {
		changed := l.changes()
		batch, ok, err := l.take(closeBatch, l.opts.Linger)
		if ok || err != nil {
			return batch, err
		}
		if err := l.wait(ctx, changed, l.cursor.due(l.opts.Linger)); err != nil {
			return Batch{}, err
		}
	}
}

// Flush is Next without waiting for a batch to fill: for a shutdown. It returns
// false when nothing is left to send.
func (l *Log) Flush(ctx context.Context, closeBatch CloseBatch) (Batch, bool, error) {
	l.read.Lock()
	defer l.read.Unlock()
	if err := l.syncWritten(ctx); err != nil {
		return Batch{}, false, err
	}
	for {
		changed := l.changes()
		signal(l.kick)
		batch, ok, err := l.take(closeBatch, 0)
		if ok || err != nil || l.nothingToSend() {
			return batch, ok, err
		}
		if err := l.wait(ctx, changed, nil); err != nil {
			return Batch{}, false, err
		}
	}
}

// Acked says that the broker has the batch. It stays on disk until it is settled.
func (l *Log) Acked(batch Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ref := range l.batches {
		if ref.Boot == batch.Boot && ref.First == batch.First {
			ref.acked = l.opts.Now()
		}
	}
}

func (l *Log) take(closeBatch CloseBatch, linger time.Duration) (Batch, bool, error) {
	ref, durable := l.unsent()
	if ref == nil {
		return Batch{}, false, l.closeNext(closeBatch, linger)
	}
	if !durable {
		return Batch{}, false, nil
	}
	batch, err := l.load(ref)
	if errors.Is(err, errGone) { // settled just now
		return Batch{}, false, nil
	}
	return batch, err == nil, err
}

func (l *Log) unsent() (ref *batchRef, durable bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ref := range l.batches {
		if ref.acked.IsZero() {
			return ref, ref.offset+ref.length <= ref.segment.durable
		}
	}
	return nil, false
}

// closeNext closes what is pending, if it is time.
func (l *Log) closeNext(closeBatch CloseBatch, linger time.Duration) error {
	full, err := l.gather()
	if err != nil || len(l.cursor.pending) == 0 {
		return err
	}
	if !full && time.Since(l.cursor.since) < linger {
		return nil
	}
	boot, pending := l.cursor.boot, l.cursor.pending
	value, err := closeBatch(boot, l.cursor.records())
	if err != nil {
		return fmt.Errorf("close batch: %w", err)
	}
	head := headOf(boot, pending, l.opts.Now())
	head.Agent = l.shipper()
	frame, err := encodeBatch(head, value)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s, offset, err := l.appendFreeing(frame)
	if err != nil {
		return err
	}
	l.index(s, head, offset, int64(len(frame)))
	l.unbatched = max(0, l.unbatched-head.Bytes)
	l.cursor.clear()
	signal(l.kick)
	return nil
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
