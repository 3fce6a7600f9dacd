package quota

import (
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// inline claims of a reservation take no memory of their own.
const inline = 8

// Reservation is what one request has of its quotas, in the order of its claims. The zero
// value has nothing. It is used by one goroutine at a time and not copied.
type Reservation struct {
	n    int
	few  [inline]held
	more []held
}

// Len is how many claims it holds.
func (r *Reservation) Len() int { return r.n }

func (r *Reservation) at(i int) *held {
	if i < inline {
		return &r.few[i]
	}
	return &r.more[i-inline]
}

func (r *Reservation) add(h held) {
	if r.n < inline {
		r.few[r.n] = h
	} else {
		r.more = append(r.more, h)
	}
	r.n++
}

// cut takes back what was added behind the first claims.
func (r *Reservation) cut(to int) {
	for i := to; i < r.n; i++ {
		h := r.at(i)
		h.release()
		*h = held{}
	}
	r.more = r.more[:max(min(len(r.more), to-inline), 0)]
	r.n = to
}

// Grow adds to what a claim reserved: it is not refused. For soft quotas, and for tokens of
// a stream under a rate.
func (r *Reservation) Grow(i int, amount int64) {
	if i < r.n {
		r.at(i).grow(amount)
	}
}

// Settle ends the reservation with what each claim took, in their order; where actual is
// shorter, what was reserved. What is above a hard quota's reservation is counted as overrun.
// A second call, and any after Release, does nothing.
func (r *Reservation) Settle(actual []int64) {
	for i := range r.n {
		h := r.at(i)
		took := h.amount
		if i < len(actual) {
			took = actual[i]
		}
		h.settle(took)
		*h = held{}
	}
	r.n, r.more = 0, r.more[:0]
}

// Release ends the reservation of a request that used nothing.
func (r *Reservation) Release() { r.cut(0) }

// AppendCharges adds what the request takes of amounts: what it reserved, or, where actual
// is given, what Settle is about to be given. Before Settle and Release.
func (r *Reservation) AppendCharges(to []*usagev1.Charge, actual []int64) []*usagev1.Charge {
	for i := range r.n {
		h := r.at(i)
		if h.window == nil {
			continue
		}
		amount := h.amount
		if i < len(actual) {
			amount = min(max(actual[i], 0), maxAmount)
		}
		if amount > 0 {
			to = append(to, h.charge(&usagev1.Charge{}, amount))
		}
	}
	return to
}

// AppendBeyond adds the quotas that refuse nothing and that the request went beyond: their ids,
// 16 bytes each, which nobody may write to. Before Settle and Release.
func (r *Reservation) AppendBeyond(to [][]byte) [][]byte {
	for i := range r.n {
		if h := r.at(i); h.beyond {
			to = append(to, h.account.book.quota.Load().ID[:])
		}
	}
	return to
}

func (h *held) charge(c *usagev1.Charge, amount int64) *usagev1.Charge {
	a := h.account
	a.mu.Lock()
	c.Window = h.window.id
	a.mu.Unlock()
	id := &a.book.quota.Load().ID
	c.QuotaId, c.Subject, c.Amount = id[:], a.subject, amount
	return c
}
