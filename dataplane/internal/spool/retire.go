package spool

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Retire ends the boot: nothing starts any more, and what is still open gets its record
// now, outcome interrupted, as the next boot would write it. When it returns all is
// fsynced and Tails says that the boot is closed, unless ends wait for room on the disk.
// Batches go on to be closed, sent and settled. Errors: ErrFull, when what was served without
// a record waits for the room of one: call it again; of the disk, ctx.Err, ErrClosed.
func (l *Log) Retire(ctx context.Context) error {
	if err := l.interruptOpen(); err != nil {
		return err
	}
	return l.syncWritten(ctx)
}

func (l *Log) interruptOpen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retired = true
	if err := l.late.first(l); err != nil {
		return err
	}
	open := slices.Sorted(maps.Keys(l.open))
	for _, id := range open {
		if err := l.interrupt(id); err != nil {
			return err
		}
	}
	if len(open) > 0 {
		l.opts.Logger.Warn("requests were open when the agent stopped", "count", len(open))
	}
	err := l.bury()
	if errors.Is(err, ErrFull) {
		return fmt.Errorf("what was served without a record is left in the tombstone: %w", err)
	}
	if err != nil {
		l.opts.Logger.Error("what was served without a record is left in the tombstone", "error", err)
	}
	return nil
}

// interrupt ends a request that nobody ended, as its start says.
func (l *Log) interrupt(id uint64) error {
	_, body, err := decodeStart(l.open[id][frameHead:])
	if err != nil {
		return err
	}
	record := &usagev1.UsageRecord{}
	if err := proto.Unmarshal(body, record); err != nil {
		return fmt.Errorf("decode start %d: %w", id, err)
	}
	if err := l.loseBeyond(id, record); err != nil {
		return err
	}
	interrupted(record, torn{l.boot, id})
	record.TornFrom = nil // it has the number of its own boot
	frame, err := encodeRecord(frameEnd, endPrefix, record)
	if err != nil {
		return err
	}
	return l.end(id, frame, record)
}

// loseBeyond puts into the tombstone the attempts of an open request that its start does not
// have. The slot goes before the end: killed in between, the next boot finds the start, and
// no attempt of it is counted twice.
func (l *Log) loseBeyond(id uint64, record *usagev1.UsageRecord) error {
	t := &l.tombstone
	began := t.beyond[id]
	lost := beyondOf(record, began)
	if lost.nothing() {
		return nil
	}
	if len(record.GetCharges()) > 0 { // what was not kept may have reserved more
		l.charges.missing(l.boot)
	}
	was := t.now
	if t.now.id == uuid.Nil {
		t.now.id, t.since = uuid.New(), time.Now()
	}
	t.now.sum = t.now.plus(lost)
	delete(t.beyond, id)
	if err := t.save(l.boot); err != nil {
		t.now, t.beyond[id] = was, began
		return err
	}
	return nil
}

// over tells whether a boot gives out no more numbers, and all that it gave out are
// fsynced.
func (l *Log) over(b *bootState) bool {
	return b.closed || b.name == l.boot && l.retired && len(l.open) == 0 && l.tombstone.empty() && b.durable == b.written.last()
}

// AwaitSettled returns nil once every record that is written is settled. Errors: ctx.Err,
// ErrClosed.
func (l *Log) AwaitSettled(ctx context.Context) error {
	for {
		changed := l.changes()
		if l.Stats().Records == 0 {
			return nil
		}
		if err := l.wait(ctx, changed, nil); err != nil {
			return err
		}
	}
}
