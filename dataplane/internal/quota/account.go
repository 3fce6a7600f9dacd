package quota

import (
	"sync"
	"sync/atomic"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// account is one subject of one quota.
type account struct {
	book    *book
	subject string
	// due is when the account is to be looked at; 0: by the next look.
	due atomic.Int64

	mu     sync.Mutex
	dead   bool  // dropped: look it up again
	gone   int64 // until when the ledger's word holds that there is no such quota
	denial agentv1.Grant_Denial
	// deniedUntil is until when more than what was free then is not asked for.
	deniedUntil int64
	needs       []need
	demand      demand
	now         *window   // nil: the present window is not known
	old         []*window // over, with requests or not told
	unsure      bool      // a call for the present window has no answer
	share       share
	underWay    int // requests that have some of a rate
}

// need is a request that waits for the account.
type need struct {
	amount int64
	wait   *wait
}

// held is what a request has of an account.
type held struct {
	account *account // nil: nothing is bounded
	window  *window  // of amounts
	amount  int64
	// Of rates: the window in which it was taken last, and how much of it then.
	grid, here int64
	beyond     bool // a hard quota would have refused it
}

// verdict is what an account says to a claim.
type verdict int

const (
	covered verdict = iota
	beyond          // served all the same
	lacking
)

// wake has the account looked at by the next look.
func (a *account) wake() {
	if a.due.Load() != 0 {
		a.due.Store(0)
	}
}

// take reserves a claim. final: nothing more is waited for. The account's lock is held.
func (a *account) take(c *Claim, now int64, final bool) (h held, v verdict) {
	if now < a.gone {
		return held{}, covered
	}
	a.wake()
	if a.book.kind != Amounts {
		return a.takeShare(c, now, final)
	}
	a.turn(now)
	amount := c.amount()
	a.demand.claim(amount, now)
	v = a.covers(c, amount, now, final)
	if v == lacking {
		return held{}, lacking
	}
	if a.now == nil {
		a.now = &window{turns: never, over: never}
	}
	a.now.reserved += amount
	a.demand.took(amount)
	return held{account: a, window: a.now, amount: amount}, v
}

// covers tells whether an amount may be reserved.
func (a *account) covers(c *Claim, amount, now int64, final bool) verdict {
	hard, known := c.Quota.Hard(), a.now != nil
	enough := known && a.now.id != "" && amount <= a.now.available()
	switch {
	case enough && (hard || a.denial != agentv1.Grant_DENIAL_EXHAUSTED):
		return covered
	case enough: // granted beyond the limit
		return beyond
	case hard:
		return lacking
	}
	unreachable := a.book.meter.unreachable(now)
	switch {
	case !final && (!known || c.Quota.RefuseWhenUnreachable && !unreachable):
		return lacking
	case unreachable && c.Quota.RefuseWhenUnreachable && c.Quota.Mode == policyv1.QuotaMode_QUOTA_MODE_SOFT:
		return lacking
	case unreachable, a.denial != agentv1.Grant_DENIAL_UNSPECIFIED:
		return beyond
	}
	return covered // the ledger was not asked yet, and lets it through
}

func (a *account) takeShare(c *Claim, now int64, final bool) (h held, v verdict) {
	s, m, q := &a.share, a.book.meter, c.Quota
	amount := c.amount()
	a.demand.claim(amount, now)
	if a.book.kind == Rates {
		s.roll(q, m.at(now))
	}
	unreachable := m.unreachable(now)
	most, known := s.bound(q, unreachable, now)
	s.peak = max(s.peak, s.used+amount)
	v = covered
	if !known || s.used+amount > most {
		v = beyond
		if q.Hard() || !known && !final || !known && q.RefuseWhenUnreachable && q.Mode == policyv1.QuotaMode_QUOTA_MODE_SOFT {
			return held{}, lacking
		}
		if !known || now < s.until && !s.short(q) {
			v = covered // as far as anybody can say
		}
	}
	s.used += amount
	a.demand.took(amount)
	if a.book.kind == Rates {
		a.underWay++
	}
	return held{account: a, amount: amount, grid: s.grid, here: amount}, v
}

// turn ends the present window when it is over.
func (a *account) turn(now int64) {
	if a.now != nil && now >= a.now.over && a.now.id != "" {
		a.old = append(a.old, a.now)
		a.now = nil
		a.denial, a.deniedUntil = agentv1.Grant_DENIAL_UNSPECIFIED, 0
	}
}

// settle ends what a request has: it took so much.
func (h *held) settle(actual int64) {
	a := h.account
	if a == nil {
		return
	}
	actual = min(max(actual, 0), maxAmount)
	over := int64(0)
	a.mu.Lock()
	switch a.book.kind {
	case Amounts:
		h.window.reserved -= h.amount
		h.window.spent += actual
		a.demand.more(actual - h.amount)
		over = actual - h.amount
	case Rates:
		a.rollNow()
		a.underWay--
		more := max(actual-h.amount, -h.back())
		a.share.used += more
		a.demand.more(more)
	case Slots:
		a.share.used--
	}
	a.wake()
	a.mu.Unlock()
	if q := a.book.quota.Load(); over > 0 && q.Hard() {
		a.book.meter.metrics.overrun(q.Measure)
	}
}

// release ends what a request has of which it used nothing.
func (h *held) release() {
	a := h.account
	if a == nil {
		return
	}
	a.mu.Lock()
	switch a.book.kind {
	case Amounts:
		h.window.reserved -= h.amount
		a.demand.more(-h.amount)
	case Rates:
		a.rollNow()
		a.underWay--
		a.share.used -= h.back()
	case Slots:
		a.share.used--
	}
	a.wake()
	a.mu.Unlock()
}

// grow adds to what a request has.
func (h *held) grow(amount int64) {
	a := h.account
	if a == nil || amount <= 0 || a.book.kind == Slots {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wake()
	h.amount += amount
	a.demand.more(amount)
	a.demand.last = a.book.meter.now()
	if a.book.kind == Amounts {
		h.window.reserved += amount
		return
	}
	a.rollNow()
	h.here, h.grid = h.back()+amount, a.share.grid
	a.share.used += amount
}

// back is what a rate can get back of it: what was taken in a window that is over is gone.
// The account's lock is held.
func (h *held) back() int64 {
	if h.grid != h.account.share.grid {
		return 0
	}
	return min(h.here, h.account.share.used)
}

func (a *account) rollNow() {
	m := a.book.meter
	a.share.roll(a.book.quota.Load(), m.at(m.now()))
}

// idle tells whether the account can be dropped.
func (a *account) idle(now int64) bool {
	if len(a.needs) > 0 || a.unsure || a.now != nil || len(a.old) > 0 || a.underWay > 0 {
		return false
	}
	if a.book.kind == Amounts {
		return true
	}
	used := a.share.used
	if a.book.kind == Rates {
		used = 0
	}
	return used == 0 && now >= a.share.until && now-a.demand.last > shareIdle
}
