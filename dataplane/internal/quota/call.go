package quota

import (
	"time"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const (
	// maxAsked bounds the holdings, and the demands, of one call.
	maxAsked = 2000
	// greetEvery is the longest time between two calls: after a restore the ledger waits until
	// every agent has called.
	greetEvery = int64(time.Minute)
	// tellAllEvery is how often all is told to a ledger that was restored.
	tellAllEvery = int64(10 * time.Second)
	// lookEvery is between two looks at an account that was used lately, and is not due sooner.
	lookEvery = int64(time.Second)
	// goneFor is how long nothing is asked of a quota that the ledger does not have.
	goneFor = int64(5 * time.Second)
	// idleFor is how long after its last request a subject's account is dropped.
	idleFor = int64(time.Minute)
	// deniedFor is how long more than what was free is not asked for.
	deniedFor = int64(time.Second)
)

// call is one call of the ledger as it is made.
type call struct {
	meter    *Meter
	request  *agentv1.LeaseRequest
	holdings []asked
	demands  []asked
	full     bool // more is due than it has room for
	all      bool // it tells of every window, whether due or not
	again    bool // requests wait for another one
	forget   []*agentv1.Holding
}

// asked is a holding or a demand of a call.
type asked struct {
	account *account
	window  *window // nil: the present one, whichever it is
	former  bool    // of an earlier boot: there is no account
	holding *agentv1.Holding
	demand  int64
	needs   []need
}

func (m *Meter) newCall() *call {
	return &call{meter: m, request: &agentv1.LeaseRequest{Boot: m.loop.disk.Boot()}}
}

func (c *call) empty() bool {
	l := &c.meter.loop
	return len(c.holdings) == 0 && len(c.demands) == 0 && !l.greets && (l.said || !c.request.GetSettledUp()) && !c.request.GetEnded()
}

func (c *call) room() bool {
	c.full = c.full || len(c.holdings) >= maxAsked-2 || len(c.demands) >= maxAsked
	return !c.full
}

// build gathers what is due. next is when something else may be.
func (m *Meter) build(now int64) (c *call, next int64) {
	c = m.newCall()
	l := &m.loop
	if l.greets, c.all = now >= l.greetDue, l.tellAll; c.all {
		l.formerDue = 0
	}
	soonest := min(c.addFormer(now), l.greetDue)
	upTo := now
	if c.all {
		upTo = never
	}
	for _, b := range m.all() {
		due, later := b.due(upTo)
		soonest = min(soonest, later)
		for _, a := range due {
			if !c.room() {
				break
			}
			soonest = min(soonest, a.look(c, now))
		}
	}
	m.forgetLeft()
	if m.accounts.Load() == 0 {
		return c, min(soonest, now+int64(idlePause))
	}
	return c, min(soonest, now+int64(m.timing.Every)) // any of them may be used meanwhile
}

// due are the accounts that are to be looked at; later is when the first of the others is.
func (b *book) due(now int64) (all []*account, later int64) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	later = never
	for _, a := range b.accounts {
		if due := a.due.Load(); due > now {
			later = min(later, due)
			continue
		}
		all = append(all, a)
	}
	return all, later
}

// addFormer adds what earlier boots spent; when the ledger has all of it, that it has. next
// is when it is to be told again.
func (c *call) addFormer(now int64) (next int64) {
	l := &c.meter.loop
	if len(l.former) == 0 {
		c.request.SettledUp = l.whole
		return never
	}
	if now < l.formerDue {
		return l.formerDue
	}
	l.formerDue = now + lookEvery
	for _, h := range l.former {
		if !c.room() {
			l.formerDue = now
			break
		}
		c.request.Holdings = append(c.request.Holdings, h)
		c.holdings = append(c.holdings, asked{former: true, holding: h})
	}
	return now // for the next of them, and that the ledger has all
}

// add has a window in the call: nil asks for the present one. The account's lock is held.
func (c *call) add(a *account, w *window, want int64, needs []need) *agentv1.Holding {
	h := &agentv1.Holding{QuotaId: a.book.quota.Load().text, Subject: a.subject, Want: want}
	left := int64(0)
	if w != nil && w.id != "" {
		h.Window, h.Granted, h.Spent, h.Returned = w.id, w.granted, w.spent, w.returned
		left = w.available() // below 0 where requests took more than they reserved
		if want > 0 {
			h.Want = want + max(w.reserved, 0) // the ledger knows of no reservations
		}
	} else {
		a.unsure = true // until it is answered
	}
	h.Need = max(sum(needs)-left, 0)
	c.request.Holdings = append(c.request.Holdings, h)
	c.holdings = append(c.holdings, asked{account: a, window: w, holding: h, needs: needs})
	return h
}

// addScarce is add where little is left: where no request waits, it asks for one of those that
// may come back, whole, as less is of no use. An agent that was refused such a one gives back
// what it has of it, which may be what another one lacks, and asks for nothing beside it.
func (c *call) addScarce(a *account, w *window, want int64, needs []need) {
	whole := min(want, a.demand.most())
	refused := a.denial == agentv1.Grant_DENIAL_HELD && w.available() < whole
	if refused {
		w.giveBack(0)
	}
	h := c.add(a, w, want, needs)
	if len(needs) > 0 {
		return
	}
	h.Need = max(whole-w.available(), 0)
	if refused {
		h.Want = 0
	}
}

func sum(needs []need) (all int64) {
	for _, n := range needs {
		all = min(all+n.amount, maxAmount)
	}
	return all
}

// look adds what is due of an account, and returns when to look at it again.
func (a *account) look(c *call, now int64) (next int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.book.kind == Amounts {
		a.demand.look(now, false)
		next = a.lookAmount(c, now)
	} else {
		a.demand.look(now, true)
		next = a.lookShare(c, now)
	}
	if a.idle(now) {
		a.book.drop(a)
	}
	a.due.Store(next)
	return next
}

func (a *account) lookAmount(c *call, now int64) (next int64) {
	a.turn(now)
	want := a.demand.want()
	if a.book.left.Load() {
		want = 0
		a.leave()
	}
	for _, w := range a.old {
		a.tellOld(c, w)
	}
	next = now + lookEvery
	if len(a.old) > 0 {
		next = now + int64(c.meter.timing.Every)
	}
	needs := a.choose()
	if w := a.now; w != nil && w.id != "" {
		return min(next, a.lookPresent(c, w, want, needs, now))
	}
	mayAsk := now >= a.gone && now >= a.deniedUntil && !a.book.left.Load()
	if len(needs) > 0 || mayAsk && (want > 0 || a.now != nil || a.unsure) {
		c.add(a, a.now, want, needs)
	}
	return next
}

// lookPresent adds the present window where that is due.
func (a *account) lookPresent(c *call, w *window, want int64, needs []need, now int64) (next int64) {
	settle, ahead := int64(c.meter.timing.Settle), want
	scarce := a.scarce(w, want)
	if scarce {
		settle = int64(c.meter.timing.Wait)
		if now >= a.demand.missedUntil { // else those that the ledger was too slow for would find nothing when they come back
			want = 0
		}
	}
	mayAsk := now >= a.deniedUntil
	if a.subject != "" && w.reserved == 0 && len(needs) == 0 && ahead == 0 && now-a.demand.last > idleFor {
		a.leave() // it is not worth its room
		a.tellOld(c, w)
		return now + int64(c.meter.timing.Every)
	}
	if now-w.toldAt >= settle && w.available() > 2*want {
		w.giveBack(want)
	}
	short := want > 0 && w.available() < want/2
	turning := ahead > 0 && now >= w.turns
	switch {
	case c.all, len(needs) > 0, short && mayAsk, w.unsure, w.untold() && now-w.toldAt >= settle:
		if scarce {
			c.addScarce(a, w, want, needs)
		} else {
			c.add(a, w, want, needs)
		}
	}
	if turning {
		c.add(a, nil, ahead, nil)
	}
	next = w.over
	if scarce && (w.available() > 2*want || w.reserved > 0 || w.untold()) {
		next = min(next, now+settle)
	}
	if ahead > 0 || w.available() > 0 || w.untold() {
		next = min(next, now+lookEvery)
	}
	if short {
		next = min(next, max(a.deniedUntil, now+int64(c.meter.timing.Every)))
	}
	if ahead > 0 && !turning {
		next = min(next, w.turns)
	}
	return next
}

// scarceBelow is how many times what an agent wants must be left of a hard quota, here and
// free, for it to hold that much while others hold some, too.
const scarceBelow = 8

// scarce tells whether so little is left of a hard quota that what agents hold ahead keeps
// others from requests that fit: then nothing is held ahead, and what comes back is given back
// at once.
func (a *account) scarce(w *window, want int64) bool {
	return w.others > 0 && want > 0 && a.book.quota.Load().Hard() && (max(w.available(), 0)+w.free)/scarceBelow < want
}

// tellOld adds a window that is over: closed, when no request goes on in it.
func (a *account) tellOld(c *call, w *window) {
	w.giveBack(0)
	if w.reserved > 0 && !w.untold() && !c.all {
		return
	}
	h := c.add(a, w, 0, nil)
	h.Closed = w.reserved == 0
	w.closing = h.Closed
}

// leave ends the present window of a quota that is none of the policy's any more.
func (a *account) leave() {
	if w := a.now; w != nil && w.id != "" {
		a.old = append(a.old, w)
	}
	a.now, a.unsure = nil, false
}

// choose takes the requests that the call is to be about: where more was denied than what is
// free, the first that fit into it.
func (a *account) choose() (chosen []need) {
	left := maxAmount
	if a.now != nil && a.denial == agentv1.Grant_DENIAL_HELD {
		left = max(a.now.available(), 0) + max(a.now.free, 0)
	}
	var rest []need
	for _, n := range a.needs {
		switch {
		case n.wait.over.Load():
			n.wait.answered()
		case len(chosen) == 0 || len(rest) == 0 && n.amount <= left:
			left -= n.amount
			chosen = append(chosen, n)
		default:
			rest = append(rest, n)
		}
	}
	a.needs = rest
	return chosen
}

func (a *account) lookShare(c *call, now int64) (next int64) {
	s, q := &a.share, a.book.quota.Load()
	if a.book.kind == Rates {
		s.roll(q, c.meter.at(now))
	}
	needs := a.choose()
	demand := s.demand(q, &a.demand, sum(needs))
	active := !a.book.left.Load() && now >= a.gone && (now-a.demand.last <= shareIdle || a.book.kind == Slots && s.used > 0)
	grew := demand > s.amount && demand != s.asked && now-s.got >= int64(c.meter.timing.Every)
	if len(needs) > 0 || active && (now >= s.renew || grew) {
		s.peak = s.used
		c.request.Demands = append(c.request.Demands, &agentv1.Demand{QuotaId: q.text, Subject: a.subject, Amount: demand})
		c.demands = append(c.demands, asked{account: a, demand: demand, needs: needs})
	}
	return now + int64(c.meter.timing.Every)
}

// buildLast closes all that is there, and says so where it has room for all.
func (m *Meter) buildLast() *call {
	c := m.newCall()
	m.loop.formerDue = 0
	c.addFormer(m.now())
	for _, b := range m.all() {
		all, _ := b.due(never)
		for _, a := range all {
			if !c.room() {
				return c
			}
			a.last(c)
		}
	}
	c.request.Ended = m.loop.leased && !c.full && !c.again
	return c
}

func (a *account) last(c *call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.book.kind != Amounts {
		return
	}
	if a.unsure && a.now == nil { // something may be leased
		c.add(a, nil, 0, nil)
		c.again = true
	}
	a.leave()
	for _, w := range a.old {
		w.spent += w.reserved
		w.reserved = 0
		a.tellOld(c, w)
	}
}
