package spool

import "fmt"

// recharge finds the totals of charges again. A head has all of its time, so what counts are
// those of the last whole one and the ends behind it: damage before that is made good.
type recharge struct {
	totals map[charged]int64
	behind []behind
	lost   map[string]bool // boots of which something can't be read
	short  string          // that heads told
	known  bool            // some head had totals
	plain  bool            // the segment is of a program that kept none
	head   *headCharges    // that is being read
}

// behind is an end behind the last head, or what was recalled there.
type behind struct {
	boot string
	ended
	recalled *ledgerCharges
}

// headCharges is a head up to where all of it was read.
type headCharges struct {
	charges
	boot          string
	parts, starts int // that are still to come
}

// checkpoint takes in a checkpoint of a segment of a boot.
func (r *recharge) checkpoint(boot string, all ledger) error {
	switch {
	case all.Part && r.head == nil: // its head is not whole
		return nil
	case all.Part:
		r.head.parts--
	case all.Charges == nil: // it had leases only if an earlier start was of another program
		if r.plain = true; r.known {
			r.lose(boot)
		}
		return nil
	default:
		r.known, r.plain = true, false
		r.head = &headCharges{charges: charges{short: all.Short}, boot: boot, parts: all.Parts, starts: all.Starts}
	}
	err := r.head.learn(all.Charges)
	r.whole()
	return err
}

// start takes in that a start was read.
func (r *recharge) start() {
	if r.head != nil {
		r.head.starts--
		r.whole()
	}
}

// whole makes the head count once all of it was read. What was lost of its boot before is in
// it: totals, and every request that was open.
func (r *recharge) whole() {
	h := r.head
	if h.parts > 0 || h.starts > 0 {
		return
	}
	r.head, r.behind = nil, nil
	r.totals, r.short = h.totals, max(r.short, h.short)
	delete(r.lost, h.boot)
}

// lose notes that something of a boot can't be read.
func (r *recharge) lose(boot string) {
	if r.lost == nil {
		r.lost = map[string]bool{}
	}
	r.lost[boot] = true
	r.head = nil
}

func (r *recharge) end(boot string, e ended) {
	if !r.plain {
		r.behind = append(r.behind, behind{boot: boot, ended: e})
	}
}

func (r *recharge) recall(all []ledgerCharges) error {
	for _, of := range all {
		if _, err := bootCounter(of.Boot); err != nil {
			return fmt.Errorf("decode charges: %w", err)
		}
		r.behind = append(r.behind, behind{recalled: &of})
	}
	return nil
}

// charges are the totals, once all segments are read.
func (r *recharge) charges() charges {
	c := charges{totals: r.totals, short: r.short}
	for _, b := range r.behind {
		if b.recalled != nil {
			c.recall(*b.recalled)
			continue
		}
		if b.record == nil && b.decode() != nil {
			r.lose(b.boot)
			continue
		}
		c.add(b.boot, b.record)
	}
	for boot := range r.lost {
		c.missing(boot)
	}
	return c
}
