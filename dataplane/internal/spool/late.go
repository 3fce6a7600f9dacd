package spool

import (
	"errors"
	"fmt"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// maxLate bounds the ends in memory that wait for room, in bytes of their frames.
const maxLate = 8 << 20

// errNoRoom: what is left of the disk is for batches.
var errNoRoom = fmt.Errorf("%w: the room for batches is in use", ErrFull)

// lateEnd met a full disk. Its start still stands: should the agent be killed, the
// next boot reports the request as interrupted.
type lateEnd struct {
	id    uint64
	frame []byte
}

// end writes the end of an open request, or keeps it for when there is room.
func (l *Log) end(id uint64, frame []byte, record *usagev1.UsageRecord) error {
	err := l.late.first(l)
	if err == nil && !l.room.held {
		err = errNoRoom
	}
	if err == nil {
		record.Seq, err = l.appendEnd(frame, id, record)
	}
	switch {
	case err == nil:
		l.closeStart(id)
		return nil
	case errors.Is(err, ErrFull) && l.late.keep(lateEnd{id, frame}):
		if len(l.late.ends) == 1 {
			l.opts.Logger.Error("the disk is full: ends of requests wait in memory, new requests are refused", "error", err)
			signal(l.dirty)
		}
		return nil
	}
	return err
}

// late holds the ends that wait, in the order in which requests ended.
type late struct {
	ends  []lateEnd
	bytes int
}

func (q *late) keep(e lateEnd) bool {
	if q.bytes+len(e.frame) > maxLate {
		return false
	}
	q.ends = append(q.ends, e)
	q.bytes += len(e.frame)
	return true
}

func (q *late) has(id uint64) bool {
	for _, e := range q.ends {
		if e.id == id {
			return true
		}
	}
	return false
}

// appendLate writes an end that waited. Its record belongs to whoever ended the request.
func (l *Log) appendLate(e lateEnd) error {
	record, err := decodeEnd(e.frame[frameHead:])
	if err == nil {
		err = record.decode()
	}
	if err == nil {
		_, err = l.appendEnd(e.frame, e.id, record.record)
	}
	return err
}

// first writes the ends that wait before anything new takes the disk, but not into
// the room of batches.
func (q *late) first(l *Log) error {
	if len(q.ends) > 0 && !l.room.held {
		return errNoRoom
	}
	return q.write(l)
}

func (q *late) write(l *Log) error {
	if len(q.ends) == 0 {
		return nil
	}
	for i, e := range q.ends {
		if err := l.appendLate(e); err != nil {
			q.ends = q.ends[i:]
			return fmt.Errorf("%d ends wait for room: %w", len(q.ends), err)
		}
		q.bytes -= len(e.frame)
		l.closeStart(e.id)
	}
	*q = late{}
	l.opts.Logger.Info("the disk has room again: the ends that waited are written")
	return nil
}
