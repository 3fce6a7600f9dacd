package spool

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"google.golang.org/protobuf/proto"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// torn is a start without an end in an earlier boot.
type torn struct {
	boot string
	id   uint64
}

// recovery is what the frames of earlier boots add up to.
type recovery struct {
	log      *Log
	starts   map[torn][]byte // not ended by what was read so far
	recorded map[string]bool // request ids of tombstones that have a record
	found    found
	charges  recharge
}

func (l *Log) recover() error {
	all, err := listSegments(l.opts.Dir)
	if err != nil {
		return err
	}
	l.segments = all
	// The new segment comes first: without room for it, nothing need be read.
	next, err := l.beginSegment()
	if err != nil {
		return err
	}
	r := &recovery{log: l, starts: map[torn][]byte{}, recorded: map[string]bool{}}
	err = r.openTombstone()
	newest := newestWritten(all)
	for _, s := range all {
		if err != nil {
			break
		}
		err = r.segment(s, s == newest)
	}
	l.segments = append(l.segments, next)
	if err == nil {
		err = r.begin(next)
	}
	if err != nil {
		return errors.Join(err, l.removeBoot())
	}
	return nil
}

// leastOfSegment is the part of a segment's room that a boot begins with at least.
const leastOfSegment = 16

// beginSegment makes the segment of a new boot, on a full disk in what the boots before set
// aside and did not use: one that was killed has a segment of it, and that may be all there
// is. Where even so there is not room for a whole one, a smaller one is better than none:
// without any, what is recorded could not be shipped, and the disk would stay full.
func (l *Log) beginSegment() (*segment, error) {
	whole := l.opts.SegmentBytes
	s, err := l.firstSegment(whole)
	if !isDiskFull(err) {
		return s, err
	}
	trimAll(l.segments)
	if s, err = l.firstSegment(whole); !isDiskFull(err) {
		return s, err
	}
	l.room.give()
	for room := whole; isDiskFull(err) && room >= whole/leastOfSegment; room /= 2 {
		s, err = l.firstSegment(room)
	}
	return s, err
}

// trimAll gives back what is set aside beyond the ends of files. What fails here shows in the
// next try to make a segment.
func trimAll(segments []*segment) {
	for _, s := range segments {
		if info, err := s.file.Stat(); err == nil {
			_ = s.file.Truncate(info.Size())
		}
	}
}

// removeBoot takes back a boot that failed to begin: nobody heard of it. The newest
// segment goes first, so that a kill leaves no gap in its numbers.
func (l *Log) removeBoot() (err error) {
	for _, s := range slices.Backward(l.segments) {
		if s.boot == l.boot {
			err = errors.Join(err, os.Remove(s.path))
		}
	}
	return err
}

// newestWritten passes over what starts left that were killed while they read.
func newestWritten(all []*segment) (newest *segment) {
	for _, s := range all {
		if info, err := s.file.Stat(); err == nil && info.Size() > 0 {
			newest = s
		}
	}
	return newest
}

// firstSegment makes the segment of a new boot, with so much room.
func (l *Log) firstSegment(room int64) (*segment, error) {
	counter, number := uint32(0), uint64(0)
	for _, s := range l.segments {
		c, err := bootCounter(s.boot)
		if err != nil {
			return nil, err
		}
		counter, number = max(counter, c), max(number, s.number)
	}
	boot, err := newBoot(counter)
	if err != nil {
		return nil, err
	}
	l.boot = boot
	return createSegment(l.opts.Dir, number+1, boot, room)
}

// begin makes the new boot durable, with the records of torn requests in it.
func (r *recovery) begin(s *segment) error {
	l := r.log
	l.dropSettled()
	l.bootState(l.boot)
	l.recent = recent{from: place{number: s.number}, most: maxRecent}
	l.charges = r.charges.charges()
	if err := r.unearth(); err != nil {
		return fmt.Errorf("begin boot %s: %w", l.boot, err)
	}
	if err := l.writeHead(s); err != nil {
		return fmt.Errorf("begin boot %s: %w", l.boot, err)
	}
	l.bytes += s.size
	l.tombstone.charges.inherited = false // the head says it
	if err := r.interrupt(); err != nil {
		return fmt.Errorf("begin boot %s: %w", l.boot, err)
	}
	if l.sync(); l.failed != nil {
		return l.failed
	}
	l.cursor = cursor{number: l.segments[0].number}
	if !l.takeRoom() {
		l.room.give()
	}
	l.mendStone()
	signal(l.dirty)
	return nil
}

func (r *recovery) segment(s *segment, newest bool) error {
	l := r.log
	info, err := s.file.Stat()
	if err != nil {
		return fmt.Errorf("read spool segment: %w", err)
	}
	data, err := s.load(0, info.Size())
	if err != nil {
		return err
	}
	s.size = info.Size()
	b := l.bootState(s.boot)
	b.closed = true
	cut := s.size
	scan(data, s.seed, 0, true,
		func(offset int64, kind byte, payload []byte) bool { r.frame(s, offset, kind, payload); return true },
		func(lost loss) {
			if lost.tail {
				cut = lost.from
			}
			if l.reportLoss(s, lost, newest) {
				r.charges.lose(s.boot)
			}
		})
	b.durable = b.last()
	if newest {
		s.size = cut
	}
	l.bytes += s.size
	return s.trim()
}

// reportLoss tells whether it is more than a write that a kill or a power cut tore.
func (l *Log) reportLoss(s *segment, lost loss, newest bool) bool {
	attrs := []any{"segment", s.path, "from", lost.from, "to", lost.to}
	if lost.tail && newest {
		l.opts.Logger.Warn("cut a torn write from the end of the spool", attrs...)
		return false
	}
	l.lost++
	l.opts.Logger.Error("spool is damaged: what these bytes held is lost", attrs...)
	return true
}

// frame takes in one frame of an earlier boot.
func (r *recovery) frame(s *segment, offset int64, kind byte, payload []byte) {
	var err error
	switch kind {
	case frameCheckpoint:
		err = r.checkpoint(s, payload)
	case frameSettled:
		var all ledger
		if all, err = r.log.learn(payload); err == nil {
			err = r.charges.recall(all.Charges)
		}
	case frameStart:
		err = r.start(s, payload)
	case frameEnd:
		err = r.end(s, payload)
	case frameBatch:
		err = r.batch(s, offset, payload)
	}
	if err != nil {
		r.log.lost++
		r.charges.lose(s.boot)
		r.log.opts.Logger.Error("spool holds what can not be read", "segment", s.path, "from", offset, "error", err)
	}
}

func (r *recovery) checkpoint(s *segment, payload []byte) error {
	all, err := r.log.learn(payload)
	if err != nil {
		return err
	}
	return r.charges.checkpoint(s.boot, all)
}

func (r *recovery) start(s *segment, payload []byte) error {
	id, body, err := decodeStart(payload)
	if err != nil {
		return err
	}
	r.starts[torn{s.boot, id}] = bytes.Clone(body)
	r.charges.start()
	return nil
}

func (r *recovery) end(s *segment, payload []byte) error {
	e, err := decodeEnd(payload)
	if err != nil {
		return err
	}
	b := r.log.bootState(s.boot)
	if len(s.ends) == 0 && e.decode() == nil {
		r.log.mark(s.boot, e.seq, r.log.moment(e.record.GetStartedAtUs()+e.record.GetDurationUs()))
	}
	b.written.add(e.seq, e.seq)
	s.ends.add(e.seq, e.seq)
	r.log.unbatched += frameSize(e)
	if e.id != 0 {
		delete(r.starts, torn{s.boot, e.id})
		r.charges.end(s.boot, e)
		return nil
	}
	if err := e.decode(); err != nil {
		return err
	}
	r.charges.end(s.boot, e)
	if e.record.GetKind() == usagev1.Kind_KIND_TOMBSTONE {
		r.recorded[e.record.GetRequestId()] = true
	}
	if from := e.record.GetTornFrom(); from != nil {
		delete(r.starts, torn{from.GetBoot(), uint64(from.GetLocalId())})
	}
	return nil
}

func (r *recovery) batch(s *segment, offset int64, payload []byte) error {
	head, _, err := decodeBatch(payload)
	if err != nil {
		return err
	}
	for _, id := range head.IDs {
		delete(r.starts, torn{head.Boot, id})
	}
	for _, from := range head.Torn {
		delete(r.starts, torn{from.Boot, from.ID})
	}
	for _, id := range head.Stones {
		r.recorded[id] = true
	}
	r.log.unbatched = max(0, r.log.unbatched-head.Bytes)
	r.log.index(s, head, offset, int64(frameHead+len(payload)), r.log.moment(head.AtUs))
	return nil
}

// interrupt writes a record of the new boot for each request that was torn.
func (r *recovery) interrupt() error {
	open := slices.SortedFunc(maps.Keys(r.starts), func(a, b torn) int {
		return cmp.Or(cmp.Compare(a.boot, b.boot), cmp.Compare(a.id, b.id))
	})
	for _, t := range open {
		record := &usagev1.UsageRecord{}
		if err := proto.Unmarshal(r.starts[t], record); err != nil {
			return fmt.Errorf("decode start %d of boot %s: %w", t.id, t.boot, err)
		}
		interrupted(record, t)
		frame, err := encodeRecord(frameEnd, endPrefix, record)
		if err != nil {
			return err
		}
		if _, err := r.log.appendEnd(frame, 0, record); err != nil {
			return err
		}
	}
	if len(open) > 0 {
		r.log.opts.Logger.Warn("requests were open when the agent stopped", "count", len(open))
	}
	return nil
}

func interrupted(record *usagev1.UsageRecord, from torn) {
	record.Outcome = usagev1.Outcome_OUTCOME_INTERRUPTED
	record.TornFrom = &usagev1.TornFrom{Boot: from.boot, LocalId: int64(from.id)}
	for _, a := range record.GetAttempts() {
		if a.GetOutcome() != usagev1.Outcome_OUTCOME_UNSPECIFIED {
			continue
		}
		a.Outcome = usagev1.Outcome_OUTCOME_INTERRUPTED
		if a.GetUsageSource() == usagev1.UsageSource_USAGE_SOURCE_UNSPECIFIED {
			a.UsageSource = usagev1.UsageSource_USAGE_SOURCE_ESTIMATED
		}
	}
}
