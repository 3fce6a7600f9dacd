package spool

import (
	"fmt"
	"maps"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// maxForgoneCharges bounds the windows of quotas that a tombstone may charge: its record
// names them all.
const maxForgoneCharges = 300

// markCharges stands among the requests of a slot whose attempts are beyond their starts: it
// is no local id. The stones have, or had, requests that came under quotas, and how much they
// took is in memory only until a record says it. Killed before that, the boot's charges are
// short, so that nobody takes what is leased to it as free.
const markCharges = uint64(0)

// forgoneCharges are what requests without a record took.
type forgoneCharges struct {
	ended map[charged]int64            // by those that did
	open  map[uint64][]*usagev1.Charge // what the others may take
	keys  map[charged]bool             // of both
	spent map[charged]int64            // of the stone that becomes a record
	// inherited: stones of earlier boots had the mark.
	inherited bool
}

// marked tells whether the slot is to say that there are charges.
func (c *forgoneCharges) marked() bool {
	return c.inherited || len(c.keys) > 0 || len(c.spent) > 0
}

// begin notes what a request may take. Errors: ErrFull.
func (c *forgoneCharges) begin(id uint64, boot string, record *usagev1.UsageRecord) error {
	if len(record.GetCharges()) == 0 {
		return nil
	}
	if c.keys == nil {
		c.keys, c.open, c.ended = map[charged]bool{}, map[uint64][]*usagev1.Charge{}, map[charged]int64{}
	}
	fresh := 0
	for _, charge := range record.GetCharges() {
		if key, ok := chargedOf(boot, charge); ok && !c.keys[key] {
			fresh++
		}
	}
	if len(c.keys)+fresh > maxForgoneCharges {
		return fmt.Errorf("%w: requests without a record came under %d windows of quotas", ErrFull, len(c.keys))
	}
	c.hold(id, boot, record)
	return nil
}

// forget takes back what begin noted.
func (c *forgoneCharges) forget(id uint64) { delete(c.open, id) }

// hold copies what a request may take: its record goes on.
func (c *forgoneCharges) hold(id uint64, boot string, record *usagev1.UsageRecord) {
	var all []*usagev1.Charge
	for _, charge := range record.GetCharges() {
		if key, ok := chargedOf(boot, charge); ok {
			c.keys[key] = true
			all = append(all, &usagev1.Charge{QuotaId: key.quota[:], Subject: key.subject, Window: key.window, Amount: charge.GetAmount()})
		}
	}
	c.open[id] = all
}

// end takes in what a request took.
func (c *forgoneCharges) end(id uint64, boot string, record *usagev1.UsageRecord) {
	delete(c.open, id)
	c.take(boot, record.GetCharges())
}

func (c *forgoneCharges) take(boot string, all []*usagev1.Charge) {
	for _, charge := range all {
		if key, ok := chargedOf(boot, charge); ok {
			if c.ended == nil {
				c.ended, c.keys, c.open = map[charged]int64{}, map[charged]bool{}, map[uint64][]*usagev1.Charge{}
			}
			c.keys[key] = true
			c.ended[key] += charge.GetAmount()
		}
	}
}

// spend makes what ended the charges of the stone that becomes a record; all: as if those
// that go on took what they may.
func (c *forgoneCharges) spend(boot string, all bool) {
	if c.ended = maps.Clone(c.ended); all { // it may be put back
		for _, charges := range c.open {
			c.take(boot, charges)
		}
		c.open = nil
	}
	c.spent, c.ended, c.keys = c.ended, nil, nil
	if len(c.open) == 0 {
		c.open = nil
		return
	}
	c.ended, c.keys = map[charged]int64{}, map[charged]bool{}
	for _, charges := range c.open {
		for _, charge := range charges {
			if key, ok := chargedOf(boot, charge); ok {
				c.keys[key] = true
			}
		}
	}
}

// record has the charges of the stone.
func (c *forgoneCharges) record(to *usagev1.UsageRecord) {
	for key, amount := range c.spent {
		to.Charges = append(to.Charges, &usagev1.Charge{QuotaId: key.quota[:], Subject: key.subject, Window: key.window, Amount: amount})
	}
}
