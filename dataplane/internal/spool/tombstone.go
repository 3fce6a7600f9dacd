package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
)

// A slot's payload: two stones, the one that is becoming a record and the one that is
// filling; the boot; and, of requests of it whose start stands in a segment, how many
// attempts they began, where the spool did not take the last of them: local id, count.
const (
	stoneBytes  = 16 + 15*8
	bootBytes   = 8 + 1 + 16
	beyondBytes = 8 + 4
	maxBeyond   = (slotMax-2*stoneBytes-bootBytes)/beyondBytes - 1 // and markCharges
)

// forgone marks the ids that Forgo gives out.
const forgone = uint64(1) << 63

// tombstone is what was served without a record and is in no segment yet.
type tombstone struct {
	slots   *slots
	now     stone          // of requests that ended
	pending sum            // of those that did not; as if they never will
	open    map[uint64]sum // each of them, by id
	beyond  map[uint64]int
	charges forgoneCharges
	lastID  uint64
	since   time.Time // when the first of it was counted

	// spent becomes a record: it stands in the slot until the record is durable.
	spent stone
	in    *segment // of the record; nil: it is not written
	until int64    // end of the record
	// clean: no slot that may be read after a power cut has a spent stone whose record is
	// written. Else no segment may go: it could be the one that has the record.
	clean, freezing, freezesClean bool
	unsaved                       bool   // the slot does not say what memory does
	said                          string // error that was logged last; empty: all was well since

	requests, shadows int64 // since Open
}

func newTombstone(s *slots) tombstone {
	return tombstone{slots: s, open: map[uint64]sum{}, beyond: map[uint64]int{}, clean: s.file == nil}
}

// filling is the stone as it stands if nothing more is heard of what is open.
func (t *tombstone) filling() stone { return stone{t.now.id, t.now.plus(t.pending)} }

func (t *tombstone) empty() bool { return t.now.id == uuid.Nil && t.spent.id == uuid.Nil }

// save writes the slot.
func (t *tombstone) save(boot string) error {
	slot := make([]byte, slotHead, slotHead+2*stoneBytes+bootBytes+(len(t.beyond)+1)*beyondBytes)
	slot = appendStone(appendStone(slot, t.spent), t.filling())
	slot = append(slot, boot...)
	for id, attempts := range t.beyond {
		slot = binary.LittleEndian.AppendUint64(slot, id)
		slot = binary.LittleEndian.AppendUint32(slot, uint32(attempts))
	}
	if t.charges.marked() {
		slot = binary.LittleEndian.AppendUint64(slot, markCharges)
		slot = binary.LittleEndian.AppendUint32(slot, 1)
	}
	err := t.slots.write(slot)
	t.unsaved = err != nil
	return err
}

func appendStone(to []byte, s stone) []byte {
	to = append(to, s.id[:]...)
	for _, n := range s.numbers() {
		to = binary.LittleEndian.AppendUint64(to, uint64(*n))
	}
	return to
}

func decodeStone(from []byte) (s stone) {
	copy(s.id[:], from)
	for i, n := range s.numbers() {
		*n = int64(binary.LittleEndian.Uint64(from[16+8*i:]))
	}
	return s
}

// found is what a slot says.
type found struct {
	spent, now stone
	boot       string
	charged    bool // stones have, or had, requests that came under quotas
	beyond     map[torn]int
}

func decodeSlot(payload []byte) (f found, err error) {
	const fixed = 2*stoneBytes + bootBytes
	if len(payload) < fixed || (len(payload)-fixed)%beyondBytes != 0 {
		return f, fmt.Errorf("tombstone of %d bytes", len(payload))
	}
	f.spent, f.now, f.beyond = decodeStone(payload), decodeStone(payload[stoneBytes:]), map[torn]int{}
	boot := string(payload[2*stoneBytes : fixed])
	if _, err := bootCounter(boot); err != nil {
		return f, fmt.Errorf("tombstone of boot %w", err)
	}
	f.boot = boot
	for rest := payload[fixed:]; len(rest) > 0; rest = rest[beyondBytes:] {
		id := binary.LittleEndian.Uint64(rest)
		if id == markCharges {
			f.charged = true
			continue
		}
		f.beyond[torn{boot, id}] = int(binary.LittleEndian.Uint32(rest[8:]))
	}
	return f, nil
}

// bury turns what is in the tombstone into a record as soon as there is room for one: of
// what ended, or, at the end of a boot, of all. The slot goes first: killed before the
// record is written, the next boot finds the stone and no record of it.
func (l *Log) bury() error {
	t := &l.tombstone
	if t.spent.id == uuid.Nil {
		if t.now.id == uuid.Nil || t.now.nothing() && !l.retired {
			return nil
		}
		if err := l.roomFor(stoneBytes); err != nil {
			return err
		}
		if err := t.spend(l.boot, l.retired); err != nil {
			return err
		}
	}
	if t.in != nil {
		return nil
	}
	return l.writeStone()
}

// spend makes what fills the one that becomes a record. What is open fills the next.
func (t *tombstone) spend(boot string, all bool) error {
	was := *t
	t.spent, t.now = t.now, stone{}
	if all {
		t.spent, t.open = was.filling(), map[uint64]sum{}
	}
	if len(t.open) > 0 {
		t.now.id = uuid.New()
	}
	t.pending = pendingOf(t.open)
	t.charges.spend(boot, all)
	if err := t.save(boot); err != nil {
		was.unsaved = true
		*t = was
		return err
	}
	return nil
}

// pendingOf sums up anew: it forgets when those began that have ended.
func pendingOf(open map[uint64]sum) (all sum) {
	for _, one := range open {
		all = all.plus(one)
	}
	return all
}

func (l *Log) writeStone() error {
	t := &l.tombstone
	if err := l.roomFor(stoneBytes); err != nil {
		return err
	}
	if err := l.late.first(l); err != nil {
		return err
	}
	record := t.spent.record()
	t.charges.record(record)
	frame, err := encodeRecord(frameEnd, endPrefix, record)
	if err != nil {
		return err
	}
	if record.Seq, err = l.appendEnd(frame, 0, record); err != nil {
		return err
	}
	t.in, t.until = l.current(), l.current().size
	t.clean, t.freezesClean = false, false
	l.opts.Logger.Warn("requests were served without a record while the spool was full: one record says how many",
		"requests", record.GetLoss().GetRequests(), "shadows", record.GetLoss().GetShadows(), "seq", record.GetSeq(), "request_id", record.GetRequestId())
	return nil
}

// buried empties the slot once the record is durable.
func (l *Log) buried() {
	t := &l.tombstone
	if t.in == nil || t.in.durable < t.until {
		return
	}
	t.spent, t.in, t.charges.spent = stone{}, nil, nil
	l.saveStone()
}

// saveStone tries again later where it fails: what stands in the slot until then is more
// than what is so.
func (l *Log) saveStone() {
	if err := l.tombstone.save(l.boot); err != nil {
		l.sayStone("written in place", err)
		return
	}
	signal(l.dirty)
}

// sayStone says once what keeps the tombstone from being what it is to be, until it is
// another error.
func (l *Log) sayStone(toBe string, err error) {
	if text := err.Error(); text != l.tombstone.said {
		l.tombstone.said = text
		l.opts.Logger.Error("the tombstone of the spool waits, and is tried again", "to_be", toBe, "error", err)
	}
}

// mendStone is tried again where it says false.
func (l *Log) mendStone() bool {
	t := &l.tombstone
	if t.slots.file == nil {
		l.openStone()
	}
	if t.unsaved {
		l.saveStone()
	}
	err := l.bury()
	switch {
	case t.unsaved: // said, or by the next try
	case err == nil:
		t.said = ""
	case !errors.Is(err, ErrFull) && !errors.Is(err, ErrClosed):
		l.sayStone("made a record", err)
	}
	return err == nil && !t.unsaved && t.slots.file != nil
}

// openStone makes the file that there was no room for.
func (l *Log) openStone() {
	if s, _, err := openSlots(l.opts.Dir); err == nil && s.file != nil {
		l.tombstone.slots = s
	} else {
		s.close()
	}
}

// freeze readies the slot for an fsync, and returns the file that needs one; nil: none does.
func (t *tombstone) freeze() *os.File {
	t.freezing = t.slots.freeze()
	t.freezesClean = t.in == nil && !t.unsaved
	if !t.freezing {
		return nil
	}
	return t.slots.file
}

func (t *tombstone) thaw() {
	if t.freezing {
		t.slots.thaw()
		t.freezing = false
		t.clean = t.clean || t.freezesClean
	}
}
