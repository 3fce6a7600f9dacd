package spool

import (
	"fmt"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// openTombstone takes over the file of earlier boots; what it says is told apart once
// their segments are read.
func (r *recovery) openTombstone() (err error) {
	l := r.log
	s, payload, err := openSlots(l.opts.Dir)
	l.tombstone = newTombstone(s)
	if err != nil || payload == nil && s.bad == 0 {
		return err
	}
	if payload != nil {
		r.found, err = decodeSlot(payload)
	}
	if err != nil || s.bad > 0 {
		l.lost += int64(max(s.bad, 1))
		if n := len(l.segments); n > 0 { // it may have been marked
			r.charges.short = l.segments[n-1].boot
		}
		l.opts.Logger.Error("the tombstone of the spool is damaged: what it counted last may be lost", "file", s.path, "error", err)
	}
	return nil
}

// unearth makes what earlier boots lost, and no record tells, the tombstone of this one. It
// is in the slot before torn requests become records: killed in between, the next boot
// finds their starts again, and nothing that this one made of them.
func (r *recovery) unearth() error {
	t := &r.log.tombstone
	if t.slots.file == nil {
		return nil
	}
	for _, s := range []stone{r.found.now, r.found.spent} {
		if s.id == uuid.Nil || r.recorded[s.id.String()] {
			continue
		}
		if r.found.charged { // how much is in no record, and was in memory
			r.log.charges.missing(r.found.boot)
			t.charges.inherited = true
		}
		if t.now.id == uuid.Nil {
			t.now.id = s.id
		}
		t.now.sum = t.now.plus(s.sum)
	}
	attempts, err := r.forgoneAttempts()
	if err != nil {
		return err
	}
	if t.now.id == uuid.Nil && !attempts.nothing() {
		t.now.id = uuid.New()
	}
	t.now.sum = t.now.plus(attempts)
	t.since = r.log.moment(t.now.first)
	return t.save(r.log.boot)
}

// forgoneAttempts are those of torn requests that their starts do not have.
func (r *recovery) forgoneAttempts() (all sum, err error) {
	for id, began := range r.found.beyond {
		body, torn := r.starts[id]
		if !torn {
			continue
		}
		record := &usagev1.UsageRecord{}
		if err := proto.Unmarshal(body, record); err != nil {
			return all, fmt.Errorf("decode start %d of boot %s: %w", id.id, id.boot, err)
		}
		lost := beyondOf(record, began)
		if !lost.nothing() && len(record.GetCharges()) > 0 { // the attempt may have reserved more
			r.log.charges.missing(id.boot)
		}
		all = all.plus(lost)
	}
	return all, nil
}

// beyondOf are the attempts of a request that began so many, of which its start has fewer.
func beyondOf(start *usagev1.UsageRecord, began int) sum {
	lost := int64(max(0, began-len(start.GetAttempts())))
	return sum{attempts: lost, unpriced: lost, first: start.GetStartedAtUs(), last: start.GetStartedAtUs()}
}
