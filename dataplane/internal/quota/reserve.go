package quota

import (
	"context"
	"sync/atomic"
	"time"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// maxRounds bounds how often a request asks whose grants others were quicker to take.
const maxRounds = 3

// Reserve takes all claims or none, and adds them to the reservation behind what it has.
// It asks the ledger, and waits for it up to 50 ms, where a hard quota has not enough left
// here or nothing is known of a quota and subject. A refusal leaves the reservation as it was.
func (m *Meter) Reserve(ctx context.Context, r *Reservation, claims []Claim) *Refusal {
	now := m.now()
	if m.take(r, claims, now, false) < 0 {
		return nil
	}
	return m.askAndTake(ctx, r, claims, now)
}

// take reserves all claims, or none and returns the place of the one that is lacking.
func (m *Meter) take(r *Reservation, claims []Claim, now int64, final bool) int {
	from := r.n
	for i := range claims {
		c := &claims[i]
		a, crowded := m.lookup(c)
		if a == nil {
			if crowded && c.Quota.Hard() {
				r.cut(from)
				return i
			}
			if crowded {
				m.metrics.uncounted.Inc()
			}
			r.add(held{})
			continue
		}
		h, v := a.take(c, now, final)
		a.mu.Unlock()
		if v == lacking {
			r.cut(from)
			return i
		}
		h.beyond = v == beyond
		r.add(h)
	}
	for i := from; i < r.n; i++ {
		if h := r.at(i); h.beyond {
			h.account.book.countBeyond()
		}
	}
	return -1
}

// wait is what a request waits for: that each of the accounts it needs was answered.
type wait struct {
	left atomic.Int32
	done chan struct{}
	over atomic.Bool // nobody waits any more
}

func (w *wait) answered() {
	if w.left.Add(-1) == 0 {
		close(w.done)
	}
}

// askAndTake is Reserve where something is lacking.
func (m *Meter) askAndTake(ctx context.Context, r *Reservation, claims []Claim, began int64) *Refusal {
	timer := time.NewTimer(m.timing.Wait)
	defer timer.Stop()
	inTime := true
	for round := 1; ; round++ {
		w, asks, hopeless := m.enlist(claims, m.now())
		if asks {
			m.ring()
			select {
			case <-w.done:
			case <-timer.C:
				inTime = false
			case <-ctx.Done():
				inTime = false
			}
			w.over.Store(true)
		}
		now := m.now()
		at := m.take(r, claims, now, true)
		if at < 0 {
			if asks || round > 1 {
				m.metrics.waited(now-began, inTime)
			}
			return nil
		}
		if hopeless >= 0 {
			at = hopeless
		}
		if asks && inTime && round < maxRounds {
			continue
		}
		if asks || round > 1 {
			m.metrics.waited(now-began, inTime)
		}
		unreachable := !inTime || m.unreachable(now)
		if unreachable {
			m.miss(claims, now)
		}
		return m.refuse(claims, at, unreachable, now)
	}
}

// enlist has every account that lacks what a claim needs ask for it; false: there is none
// that it would help to ask. without is the claim for which it would not, or -1.
func (m *Meter) enlist(claims []Claim, now int64) (w *wait, asks bool, without int) {
	if m.unreachable(now) {
		return nil, false, -1
	}
	w = &wait{done: make(chan struct{})}
	w.left.Store(1) // until all are enlisted
	for i := range claims {
		c := &claims[i]
		a, _ := m.lookup(c)
		if a == nil {
			continue
		}
		switch a.enlist(c, w, now) {
		case enlisted:
			asks = true
		case hopeless:
			a.mu.Unlock()
			w.over.Store(true)
			return nil, false, i
		case enough:
		}
		a.mu.Unlock()
	}
	w.answered()
	return w, asks, -1
}

type enlisting int

const (
	enough enlisting = iota
	enlisted
	hopeless // it was asked for just now
)

// enlist adds a request to those that wait. The account's lock is held.
func (a *account) enlist(c *Claim, w *wait, now int64) enlisting {
	if !a.lacks(c, now) {
		return enough
	}
	if now < a.deniedUntil && !a.mayAsk(c.amount()) {
		if c.Quota.Hard() {
			return hopeless
		}
		return enough
	}
	w.left.Add(1)
	a.needs = append(a.needs, need{c.amount(), w})
	a.due.Store(0)
	return enlisted
}

// lacks tells whether a claim would not be covered as things are.
func (a *account) lacks(c *Claim, now int64) bool {
	if now < a.gone {
		return false
	}
	if a.book.kind != Amounts {
		s, q := &a.share, c.Quota
		if a.book.kind == Rates {
			s.roll(q, a.book.meter.at(now))
		}
		most, known := s.bound(q, false, now)
		return !known || q.Hard() && s.used+c.amount() > most && most < q.Amount
	}
	a.turn(now)
	return a.covers(c, c.amount(), now, false) == lacking
}

// mayAsk tells whether so much could be had though more was denied.
func (a *account) mayAsk(amount int64) bool {
	return a.denial == agentv1.Grant_DENIAL_HELD && a.now != nil && amount <= a.now.available()+a.now.free
}

// miss notes which hard amounts the claims lack, so that something is held of them when the
// request comes back.
func (m *Meter) miss(claims []Claim, now int64) {
	for i := range claims {
		c := &claims[i]
		if !c.Quota.Hard() || c.Quota.Kind() != Amounts {
			continue
		}
		a, _ := m.lookup(c)
		if a == nil {
			continue
		}
		if a.lacks(c, now) {
			a.demand.miss(now)
			a.wake()
		}
		a.mu.Unlock()
	}
}

// refuse says why a claim is not covered.
func (m *Meter) refuse(claims []Claim, at int, unreachable bool, now int64) *Refusal {
	c := &claims[at]
	a, _ := m.lookup(c)
	if a == nil {
		r := &Refusal{Claim: at, Quota: c.Quota, Subject: c.Subject, Why: Crowded, RetryAfter: retryUnreachable}
		m.metrics.refuse(r.Why)
		return r
	}
	r := a.refusal(c, unreachable, now)
	if a.book.kind != Amounts {
		a.demand.took(c.amount()) // it could have been used
	}
	a.mu.Unlock()
	r.Claim = at
	m.metrics.refuse(r.Why)
	return r
}
