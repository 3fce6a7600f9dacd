package quota

import (
	"time"

	contract "github.com/weirhq/weir/proto/contract/share"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// take takes in the answer to a call that was sent and came at these moments.
func (c *call) take(answer *agentv1.LeaseResponse, sent, arrived int64) {
	kept := c.meter.loop.former[:0:0]
	for i := range c.holdings {
		h, g := &c.holdings[i], answer.GetGrants()[i]
		if h.former {
			if confirmed(h.holding, g) {
				c.forget = append(c.forget, h.holding)
			} else {
				kept = append(kept, h.holding)
			}
			continue
		}
		h.account.granted(c, h, g, sent, arrived)
	}
	if l := &c.meter.loop; len(l.former) > 0 {
		l.former = append(kept, l.former[min(countFormer(c.holdings), len(l.former)):]...)
	}
	for i := range c.demands {
		c.demands[i].account.shared(c, &c.demands[i], answer.GetShares()[i], sent, arrived)
	}
}

func countFormer(all []asked) (n int) {
	for n < len(all) && all[n].former {
		n++
	}
	return n
}

// confirmed tells whether the ledger has the totals of a holding for good.
func confirmed(h *agentv1.Holding, g *agentv1.Grant) bool {
	return g.GetDenial() == agentv1.Grant_DENIAL_GONE || g.GetSpent() >= h.GetSpent() && g.GetReturned() >= h.GetReturned()
}

// lost: a call had no answer. The ledger may have granted what it was asked for.
func (c *call) lost() {
	for _, all := range [][]asked{c.holdings, c.demands} {
		for i := range all {
			if all[i].former {
				continue
			}
			all[i].account.lost(&all[i])
		}
	}
}

func (a *account) lost(h *asked) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := h.window; w != nil { // of one that nobody has named, the account knows; shares lapse
		w.unsure = w.id != ""
	}
	a.due.Store(0)
	answered(h.needs)
}

func answered(needs []need) {
	for _, n := range needs {
		n.wait.answered()
	}
}

// granted takes in what the ledger has of a window.
func (a *account) granted(c *call, h *asked, g *agentv1.Grant, sent, arrived int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due.Store(0)
	defer func() { a.answer(c, h, g) }()
	if g.GetDenial() == agentv1.Grant_DENIAL_GONE {
		a.gone, a.unsure = arrived+goneFor, false
		a.leave()
	}
	if h.holding.GetWant() > 0 || h.holding.GetNeed() > 0 || g.GetDenial() != 0 {
		a.deny(c, g, arrived)
	}
	w := h.window
	if w == nil || w.id == "" {
		if w = a.named(c, h, g); w == nil {
			return
		}
	} else {
		if confirmed(h.holding, g) {
			w.toldSpent, w.toldReturned = h.holding.GetSpent(), h.holding.GetReturned()
		}
		w.toldAt, w.unsure = arrived, false
	}
	w.hear(g, sent, arrived)
	if h.holding.GetClosed() && confirmed(h.holding, g) {
		a.bury(c, w)
		return
	}
	if h.holding.GetWindow() != "" && confirmed(h.holding, g) && len(w.carried) > 0 {
		c.forget = append(c.forget, w.carried...)
		w.carried = nil
	}
	a.turn(arrived)
}

// named finds the window that the ledger says is the present one; nil: it can't be used.
func (a *account) named(c *call, h *asked, g *agentv1.Grant) *window {
	a.unsure = false
	id := g.GetWindow()
	if id == "" || g.GetDenial() == agentv1.Grant_DENIAL_GONE {
		return nil
	}
	if a.now != nil && a.now.id == id {
		return a.now
	}
	for i, w := range a.old {
		if w.id != id {
			continue
		}
		if w.closing || a.now != nil {
			return nil // until it is told, or the ledger's clock turns as well
		}
		a.old = append(a.old[:i], a.old[i+1:]...)
		a.now = w
		return w
	}
	w := a.now
	switch {
	case w != nil && w.id == "": // what was served before it had a name counts in it
		w.id = id
		w.carried = append(w.carried, a.total(c, ""))
	case w != nil: // the ledger's clock is ahead
		a.old = append(a.old, w)
		fallthrough
	default:
		if w = a.resumed(c, g); w == nil {
			a.unsure = true
			return nil
		}
		a.now = w
	}
	key := carriedKey{h.holding.GetQuotaId(), a.subject}
	for _, before := range c.meter.loop.carried[key] {
		w.spent += before.GetSpent()
		w.carried = append(w.carried, before)
	}
	delete(c.meter.loop.carried, key)
	w.toldSpent, w.toldReturned = g.GetSpent(), g.GetReturned()
	return w
}

// resumed is a window as the ledger has it: this start had it before, where something was
// spent, and forgot it as nobody used it. nil: that can't be put on the disk again.
func (a *account) resumed(c *call, g *agentv1.Grant) *window {
	w := &window{id: g.GetWindow(), spent: g.GetSpent(), returned: g.GetReturned()}
	if w.spent == 0 {
		return w
	}
	c.meter.forget(c.forget) // maybe of this one
	c.forget = nil
	total := a.total(c, w.id)
	total.Spent = w.spent
	if err := c.meter.loop.disk.RecallCharges([]*agentv1.Holding{total}); err != nil {
		c.meter.config.Logger.Error("a quota is leased and can't be used: what it spent before can't be put on the disk", "error", err)
		return nil
	}
	return w
}

// total names what the disk has of a window of the present boot.
func (a *account) total(c *call, window string) *agentv1.Holding {
	return &agentv1.Holding{QuotaId: a.book.quota.Load().text, Subject: a.subject, Window: window, Boot: c.request.GetBoot()}
}

// turnMargin is how much later the next window is asked for than this one may be over: the
// ledger tells whole milliseconds, and too early an answer costs another call.
const turnMargin = int64(2 * time.Millisecond)

// hear takes in what the ledger has. What was granted never gets less: who was restored is
// told by the next call.
func (w *window) hear(g *agentv1.Grant, sent, arrived int64) {
	w.granted = max(w.granted, g.GetGranted())
	w.limit, w.free, w.others = g.GetLimit(), g.GetFree(), g.GetHeldByOthers()
	if w.over == 0 { // an answer that denies may leave out when it ends
		w.turns, w.over = never, never
	}
	if g.EndsInMs != nil {
		left := int64(min(time.Duration(max(g.GetEndsInMs(), 0)), maxWindow/time.Millisecond) * time.Millisecond)
		w.turns, w.over = sent+left+turnMargin, arrived+left
	}
	if g.GetEndsAt() != nil {
		w.endsAt = g.GetEndsAt().AsTime()
	}
	if w.toldAt == 0 {
		w.toldAt = arrived
	}
}

// deny notes why the ledger did not give all that it was asked for.
func (a *account) deny(c *call, g *agentv1.Grant, arrived int64) {
	if a.denial != g.GetDenial() && g.GetDenial() == agentv1.Grant_DENIAL_OLD_BOOT {
		c.meter.config.Logger.Error("the quota ledger knows a later start of this agent and leases nothing to this one: does a copy of its state folder run?",
			"boot", c.request.GetBoot())
	}
	a.denial, a.deniedUntil = g.GetDenial(), 0
	switch a.denial {
	case agentv1.Grant_DENIAL_HELD:
		a.deniedUntil = arrived + int64(c.meter.timing.Every)
		if g.GetHeldByOthers() > 0 { // it comes back at any moment
			a.deniedUntil = arrived + int64(c.meter.timing.Wait)
		}
	case agentv1.Grant_DENIAL_EXHAUSTED, agentv1.Grant_DENIAL_RESTORED, agentv1.Grant_DENIAL_OLD_BOOT:
		a.deniedUntil = arrived + deniedFor
	}
}

// bury forgets a window that the ledger has closed.
func (a *account) bury(c *call, w *window) {
	for i, old := range a.old {
		if old == w {
			a.old = append(a.old[:i], a.old[i+1:]...)
			c.forget = append(append(c.forget, a.total(c, w.id)), w.carried...)
			return
		}
	}
}

// answer ends the waiting of requests. Of several that were too much together, the first may
// fit.
func (a *account) answer(c *call, h *asked, g *agentv1.Grant) {
	if w := a.now; w != nil && g.GetDenial() == agentv1.Grant_DENIAL_HELD && len(h.needs) > 1 &&
		max(w.available(), 0)+max(w.free, 0) >= h.needs[0].amount {
		a.needs = append(h.needs, a.needs...)
		c.again = true
		return
	}
	answered(h.needs)
	a.serve(sum(h.needs))
	c.again = c.again || len(a.needs) > 0
}

// serve ends the waiting of requests that came since the call, and that its answer covers
// beside others.
func (a *account) serve(others int64) {
	if a.now == nil {
		return
	}
	left := a.now.available() - others
	for len(a.needs) > 0 && a.needs[0].amount <= left {
		left -= a.needs[0].amount
		a.needs[0].wait.answered()
		a.needs = a.needs[1:]
	}
}

// shared takes in a share.
func (a *account) shared(c *call, h *asked, s *agentv1.Share, sent, arrived int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due.Store(0)
	defer answered(h.needs)
	if s.GetDenial() == agentv1.Grant_DENIAL_GONE {
		a.gone = arrived + goneFor
		return
	}
	if s.GetDenial() == agentv1.Grant_DENIAL_OLD_BOOT {
		return // it lapses
	}
	term := int64(min(time.Duration(max(s.GetTermMs(), 0)), maxWindow/time.Millisecond) * time.Millisecond)
	a.share.amount, a.share.free, a.share.got = max(s.GetAmount(), 0), s.GetFree(), arrived
	// The ledger counts it until a margin later than from when it answered, which was after the
	// call was sent: an answer that was longer on its way is good for less.
	a.share.until = min(arrived, sent+int64(contract.Margin)) + term
	a.share.renew = arrived + max(a.share.until-arrived, 0)/2
	a.share.asked, a.deniedUntil = h.demand, 0
	if a.share.used+sum(h.needs) > a.share.amount {
		a.deniedUntil = arrived + int64(c.meter.timing.Every)
	}
}
