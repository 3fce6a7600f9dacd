package spool

import (
	"errors"
	"fmt"
	"time"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const readChunk = 1 << 20

// cursor walks all segments in order and gathers what is in no batch yet. Ends
// stand in the order of their numbers, so memory holds one batch, whatever waits.
type cursor struct {
	number  uint64 // of the segment
	offset  int64
	chunk   int64
	boot    string
	pending []ended
	size    int64
	since   time.Time // when the first of pending was read
	held    bool      // the next record does not belong to pending
}

func (c *cursor) clear() { c.pending, c.size, c.held = nil, 0, false }

func (c *cursor) records() []*usagev1.UsageRecord {
	all := make([]*usagev1.UsageRecord, len(c.pending))
	for i, e := range c.pending {
		all[i] = e.record
	}
	return all
}

// due fires when the batch that is filling should be closed; nil: none is.
func (c *cursor) due(linger time.Duration) <-chan time.Time {
	if len(c.pending) == 0 {
		return nil
	}
	return time.After(linger - time.Since(c.since))
}

// fits reports whether e is the next of the same batch.
func (c *cursor) fits(boot string, e ended) bool {
	last := len(c.pending) - 1
	return last < 0 || boot == c.boot && e.seq == c.pending[last].seq+1 &&
		last+1 < maxBatchRecords && c.size+frameSize(e) <= maxBatchBytes
}

func (c *cursor) add(boot string, e ended) {
	if len(c.pending) == 0 {
		c.boot, c.since = boot, time.Now()
	}
	c.pending = append(c.pending, e)
	c.size += frameSize(e)
}

func frameSize(e ended) int64 { return int64(frameHead + endPrefix + len(e.body)) }

// gather reads on, as far as fsynced, until the batch is full.
func (l *Log) gather() (full bool, err error) {
	c := &l.cursor
	for !c.held && len(c.pending) < maxBatchRecords {
		s, limit, more := l.readable()
		if c.offset >= limit {
			if !more {
				return false, nil
			}
			c.number, c.offset = s.number+1, 0
			continue
		}
		if l.gatherRecent(s, limit) {
			continue
		}
		if err := l.gatherFrom(s, limit); err != nil {
			return false, err
		}
	}
	return true, nil
}

// readable returns the segment at the cursor, how far it is fsynced, and whether
// that is all of it.
func (l *Log) readable() (s *segment, limit int64, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		if s.number < l.cursor.number {
			continue
		}
		if s.number > l.cursor.number {
			l.cursor.number, l.cursor.offset = s.number, 0
		}
		return s, s.durable, s != l.current() && s.durable == s.size
	}
	return l.current(), 0, false
}

func (l *Log) gatherFrom(s *segment, limit int64) error {
	c := &l.cursor
	end := min(limit, c.offset+max(c.chunk, readChunk))
	data, err := l.loadSegment(s, c.offset, end)
	if errors.Is(err, errGone) {
		return l.errClosed() // else it was settled just now
	}
	if err != nil {
		return err
	}
	batched := l.batchedOf(s.boot)
	at := scan(data, s.seed, c.offset, end == limit,
		func(_ int64, kind byte, payload []byte) bool { return kind != frameEnd || l.offer(s, batched, payload) },
		func(lost loss) {
			if s.boot == l.boot {
				l.reportLoss(s, lost, false)
			}
		})
	if c.chunk = 0; at == c.offset && !c.held {
		c.chunk = 2 * (end - c.offset) // damaged: look further for where it goes on
	}
	c.offset = at
	return nil
}

// offer adds a record to the batch; false: the batch is full without it.
func (l *Log) offer(s *segment, batched spans, payload []byte) bool {
	c := &l.cursor
	e, err := decodeEnd(payload)
	if err == nil && batched.covers(e.seq, e.seq) {
		return true
	}
	if err == nil && !c.fits(s.boot, e) {
		c.held = true
		return false
	}
	if err == nil {
		err = e.decode()
	}
	if err != nil {
		l.opts.Logger.Error("spool holds a record that can not be read", "segment", s.path, "error", err)
		return true
	}
	c.add(s.boot, e)
	return true
}

func (l *Log) loadSegment(s *segment, from, to int64) ([]byte, error) {
	l.files.RLock()
	defer l.files.RUnlock()
	if s.gone {
		return nil, errGone
	}
	data, err := s.load(from, to)
	if err != nil {
		return nil, fmt.Errorf("gather usage: %w", err)
	}
	return data, nil
}

func (l *Log) errClosed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	return nil
}

func (l *Log) batchedOf(boot string) spans {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(spans(nil), l.bootState(boot).batched...)
}
