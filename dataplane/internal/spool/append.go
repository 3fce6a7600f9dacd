package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// endRoom is set aside for the end of each open request, bytes, beyond those of its start:
// what its caller says of it, which both have, may be several times as much.
const endRoom = 1 << 10

// Start writes what is known of a request before it goes upstream and returns the
// local id that End takes. When it returns, the start survives kill -9. Should the
// agent die before End, the record is reported as it is here, so attempts begun
// carry their estimate. Errors: ErrFull, ErrTooLarge, ErrClosed.
func (l *Log) Start(record *usagev1.UsageRecord) (uint64, error) {
	frame, err := encodeRecord(frameStart, startPrefix, record)
	if err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	id := l.lastID + 1
	if err := l.appendStart(frame, id); err != nil {
		return 0, err
	}
	l.lastID = id
	return id, nil
}

// Again writes what is known of a started request before it goes upstream once more:
// should the agent die now, the record is reported as it is here. Errors: as Start, and
// ErrNotOpen.
func (l *Log) Again(id uint64, record *usagev1.UsageRecord) error {
	frame, err := encodeRecord(frameStart, startPrefix, record)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if id&forgone != 0 {
		return l.forgoneAgain(id, record)
	}
	if _, ok := l.open[id]; !ok || l.late.has(id) {
		return fmt.Errorf("start %d again: %w", id, ErrNotOpen)
	}
	return l.appendStart(frame, id)
}

// appendStart writes the start of a request, in place of an earlier one.
func (l *Log) appendStart(frame []byte, id uint64) error {
	if err := l.admit(len(frame)); err != nil {
		return err
	}
	if err := l.late.first(l); err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(frame[frameHead:], id)
	if _, _, err := l.append(frame); err != nil {
		return err
	}
	l.openBytes += int64(len(frame) - len(l.open[id]))
	l.open[id] = frame
	return nil
}

func (l *Log) closeStart(id uint64) {
	l.openBytes -= int64(len(l.open[id]))
	delete(l.open, id)
	delete(l.tombstone.beyond, id) // in the slot it names no open request any more
}

// End writes the whole record of a started request and sets its seq, the next
// number of this boot. Call it before the client sees the last byte. It does not
// fail for lack of room within MaxBytes. On a full disk it keeps the end, which
// gets its number when there is room; seq is 0 then. Errors: ErrNotOpen, ErrTooLarge
// and, when too many ends wait, ErrFull (the request stays open), ErrClosed.
func (l *Log) End(id uint64, record *usagev1.UsageRecord) error {
	frame, err := encodeRecord(frameEnd, endPrefix, record)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if id&forgone != 0 {
		return l.forgoneEnd(id, record)
	}
	if _, ok := l.open[id]; !ok || l.late.has(id) {
		return fmt.Errorf("end %d: %w", id, ErrNotOpen)
	}
	return l.end(id, frame, record)
}

// Refuse writes the one record of a request that the agent itself refused: start
// and end together. Errors: as Start.
func (l *Log) Refuse(record *usagev1.UsageRecord) error {
	frame, err := encodeRecord(frameEnd, endPrefix, record)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.admit(len(frame)); err != nil {
		return err
	}
	if err := l.late.first(l); err != nil {
		return err
	}
	record.Seq, err = l.appendEnd(frame, 0, record)
	return err
}

func (l *Log) appendEnd(frame []byte, id uint64, record *usagev1.UsageRecord) (seq int64, err error) {
	b := l.bootState(l.boot)
	seq = b.written.last() + 1
	binary.LittleEndian.PutUint64(frame[frameHead:], id)
	binary.LittleEndian.PutUint64(frame[frameHead+startPrefix:], uint64(seq))
	s, offset, err := l.append(frame)
	if err != nil {
		return 0, err
	}
	l.recent.keep(place{s.number, offset}, frame)
	l.charges.add(l.boot, record)
	b.written.add(seq, seq)
	s.ends.add(seq, seq)
	l.unbatched += int64(len(frame))
	l.mark(l.boot, seq, time.Now())
	return seq, nil
}

// admit refuses new requests while what is admitted may still need the room: ends
// of open ones, and the batches that what is not batched yet will take.
func (l *Log) admit(size int) error {
	if l.retired {
		return ErrClosed
	}
	return l.roomFor(size)
}

func (l *Log) roomFor(size int) error {
	if !l.room.held {
		return l.room.why
	}
	if l.need(size) > l.opts.MaxBytes {
		return fmt.Errorf("%w: %d of %d bytes", ErrFull, l.bytes, l.opts.MaxBytes)
	}
	return nil
}

// need is what is on disk, what so many more bytes would add, and what both may still take.
func (l *Log) need(size int) int64 {
	starts := l.openBytes + int64(size)
	ends := starts + int64(len(l.open)+1)*endRoom
	// Segments that the ends will begin repeat what is open, and charges.
	heads := (starts + int64(len(l.charges.totals))*chargeRoom) * (ends/l.opts.SegmentBytes + 1)
	return l.bytes + int64(size) + ends + heads + l.unbatched/2
}

// append writes a frame to the current segment, a new one if that is long enough.
func (l *Log) append(frame []byte) (*segment, int64, error) {
	if l.closed {
		return nil, 0, ErrClosed
	}
	if l.failed != nil {
		return nil, 0, l.failed
	}
	s := l.current()
	if s.size-s.head+int64(len(frame)) > l.opts.SegmentBytes && s.size > s.head && s.size >= l.rotateAt {
		if err := l.rotate(); err != nil {
			l.rotateAt = s.size + l.opts.SegmentBytes/8
			l.opts.Logger.Warn("spool goes on in a long segment", "segment", s.path, "error", err)
		}
		s = l.current()
	}
	offset, broken, err := s.write(frame)
	if broken {
		l.failed = err
	}
	if isDiskFull(err) {
		return nil, 0, fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err != nil {
		return nil, 0, err
	}
	l.bytes += int64(len(frame))
	signal(l.dirty)
	return s, offset, nil
}

func isDiskFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

func (l *Log) current() *segment { return l.segments[len(l.segments)-1] }

func (l *Log) rotate() error {
	number := l.current().number + 1
	s, err := createSegment(l.opts.Dir, number, l.boot, l.opts.SegmentBytes)
	if isDiskFull(err) { // its head may fit, and the segments before it can go
		s, err = createSegment(l.opts.Dir, number, l.boot, 0)
	}
	if err != nil {
		return err
	}
	if err := l.writeHead(s); err != nil {
		s.file.Close()
		return errors.Join(err, os.Remove(s.path))
	}
	old := l.current()
	l.segments = append(l.segments, s)
	l.bytes += s.size
	l.rotateAt = 0
	return old.trim()
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
