package quota

import (
	"time"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// Why a request is refused.
type Why int

const (
	// Exhausted: all of it is spent; of a rate or of slots: in use.
	Exhausted Why = iota
	// Held: what is left is less than the request may take, or other agents have it.
	Held
	// Restored: the ledger was restored, and waits to hear of what others hold.
	Restored
	// Unreachable: the ledger can't be asked, and what is here is not enough.
	Unreachable
	// Crowded: the agent holds accounts of as many subjects as it can.
	Crowded
	whys
)

var whyNames = [whys]string{"exhausted", "held", "restored", "unreachable", "crowded"}

// String is a stable code.
func (w Why) String() string { return whyNames[w] }

// OurFault tells whether the caller did nothing to be refused: 503, not 429.
func (w Why) OurFault() bool { return w == Restored || w == Unreachable || w == Crowded }

// Refusal is by which quota a request is not served.
type Refusal struct {
	// Claim that was not covered, by its place.
	Claim   int
	Quota   *Quota
	Subject string
	Why     Why
	// Limit of the window with what was raised and carried over, and Taken of it, which is
	// spent or held by any agent, as of the last answer; of a rate or slots, the share and
	// what this agent uses of it.
	Limit, Taken int64
	// Available is what a smaller request may hope for.
	Available int64
	// Stays: nothing is under way that could give some of it back before the window ends.
	Stays bool
	// RetryAfter is when it may be another one; 0: nobody knows.
	RetryAfter time.Duration
	// Ends is when the window does, by the ledger's clock; zero: never, or nobody said.
	Ends time.Time
}

// whyOf is what an account says that does not cover a claim.
func whyOf(denial agentv1.Grant_Denial, unreachable bool) Why {
	switch {
	case denial == agentv1.Grant_DENIAL_EXHAUSTED: // until the window ends, whoever is away
		return Exhausted
	case unreachable, denial == agentv1.Grant_DENIAL_OLD_BOOT:
		return Unreachable
	case denial == agentv1.Grant_DENIAL_RESTORED:
		return Restored
	}
	return Held
}

const (
	retryHeld        = time.Second
	retryUnreachable = 2 * time.Second
	retryRestored    = 10 * time.Second
)

// refusal says why an account does not cover a claim. The account's lock is held.
func (a *account) refusal(c *Claim, unreachable bool, now int64) *Refusal {
	r := &Refusal{Quota: c.Quota, Subject: c.Subject, Why: whyOf(a.denial, unreachable)}
	if a.book.kind != Amounts {
		a.share.explain(r, c.Quota, unreachable, now, a.book.meter)
	} else if w := a.now; w != nil {
		r.Limit, r.Taken, r.Ends = w.limit, max(w.limit-w.free, 0), w.endsAt
		r.Available = max(w.available(), 0) + max(w.free, 0)
		r.Stays = r.Why == Exhausted || r.Why == Held && w.others == 0 && w.reserved == 0 && c.amount() > r.Available
		if r.Stays && w.over != never {
			r.RetryAfter = time.Duration(max(w.over-now, int64(time.Second)))
		}
	}
	switch {
	case r.Stays:
	case r.Why == Held:
		r.RetryAfter = retryHeld
	case r.Why == Unreachable, r.Why == Crowded:
		r.RetryAfter = retryUnreachable
	case r.Why == Restored:
		r.RetryAfter = retryRestored
	}
	return r
}
