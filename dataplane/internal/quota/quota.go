// Package quota is what the agent has of its organization's quotas. It leases slices of
// amounts (money, and tokens or requests of an hour or more) and shares of rates and slots
// from the control plane's ledger, reserves requests out of them and settles what they took.
// It must not know how a request is priced, who calls, or what a policy looks like.
//
// # Amounts
//
// Of each quota and subject (an end user, the value of a label; mostly there is one, "") an
// account has the lease of the present window: what was granted, spent, given back and is
// reserved. Of a hard quota no more is ever reserved than is left of that, so that spent and
// held stay within the limit whatever happens to the agent or to the ledger: what nobody
// heard of again stays held there. All totals only grow, so that calls may be lost or come
// twice. A request belongs to the window in which it was reserved; one that is over is told
// as closed when its last request has ended, and forgotten when the ledger knows.
//
// One goroutine calls the ledger, with all that is due in one call: four times a second at
// most, and at once where a request waits. An agent keeps what the next three seconds are
// likely to take and two of its largest requests, and gives back what is beyond twice that.
// Where eight times as much is not left of a hard quota, and others hold some of it, it holds
// nothing ahead: each request asks, and what it took less goes back within 50 ms.
//
// An account of a subject is dropped a minute after its last request: closed, and forgotten
// here and on the disk when the ledger has it. A bound on how many there are remains: beyond
// it, hard quotas refuse subjects that are new, and the others do not count them.
//
// # Rates and slots
//
// A share says how much of a rate this agent may let through in each window of the grid of
// UTC, or how many requests may be under way; it lapses with its term. An amount that moves
// from one agent to another in the midst of a window can be used by both of them; what was
// used in a window counts as demand until it ends, so that little of it moves. What a request
// turns out to take less comes back in the window it was taken in alone; what it takes more is
// taken from the present one.
//
// # With the control plane away
//
// What is leased is spent. Then hard amounts are refused, as unreachable; soft ones, shadows
// and rates are served on, unless the quota says otherwise: rates up to all of their amount
// on each agent. No request waits for a ledger that is away or slower than 50 ms.
//
// After a kill the disk tells what each earlier start spent, and the ledger is told that the
// agent is settled up when it has all of that; not where the disk lost something: then what
// was leased stays held. Once a minute the ledger is called though nothing is due, and one
// that was restored is told of everything.
package quota

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Kind is how a quota is held.
type Kind int

const (
	// Amounts are leased from a window: reserve the most that a request can take.
	Amounts Kind = iota
	// Rates are shares of a window of less than an hour: reserve what a request takes at once,
	// and let it grow.
	Rates
	// Slots are shares of how many requests may be under way; each takes 1.
	Slots
)

// Quota is one of the policy's.
type Quota struct {
	ID      [16]byte
	Name    string
	Measure policyv1.QuotaMeasure
	Mode    policyv1.QuotaMode
	// RefuseWhenUnreachable says what soft ones and rates do when nothing is known of them.
	RefuseWhenUnreachable bool
	// Amount of a limit; 0: it is a budget, whose amount the ledger knows.
	Amount int64
	// Window of a limit; 0: it has none.
	Window time.Duration

	text string // of ID
}

// FromPolicy compiles a quota of a policy. Errors: what the agent can't hold.
func FromPolicy(p *policyv1.Quota) (*Quota, error) {
	id, err := uuid.Parse(p.GetId())
	if err != nil {
		return nil, fmt.Errorf("quota %q: id: %w", p.GetName(), err)
	}
	q := &Quota{
		ID: id, Name: p.GetName(), Measure: p.GetMeasure(), Mode: p.GetMode(), RefuseWhenUnreachable: p.GetRefuseWhenUnreachable(),
		Amount: p.GetAmount(), Window: time.Duration(p.GetWindowMs()) * time.Millisecond, text: id.String(),
	}
	switch {
	case q.Measure < policyv1.QuotaMeasure_QUOTA_MEASURE_COST || q.Measure > policyv1.QuotaMeasure_QUOTA_MEASURE_CONCURRENT_REQUESTS:
		return nil, fmt.Errorf("quota %q: measure %v is not known here", q.Name, q.Measure)
	case q.Mode < policyv1.QuotaMode_QUOTA_MODE_HARD || q.Mode > policyv1.QuotaMode_QUOTA_MODE_SHADOW:
		return nil, fmt.Errorf("quota %q: mode %v is not known here", q.Name, q.Mode)
	case q.Amount < 0 || p.GetWindowMs() < 0 || p.GetWindowMs() > int64(maxWindow/time.Millisecond):
		return nil, fmt.Errorf("quota %q: amount %d in windows of %d ms", q.Name, q.Amount, p.GetWindowMs())
	case q.Kind() == Slots && q.Amount == 0:
		return nil, fmt.Errorf("quota %q: no concurrent requests", q.Name)
	}
	return q, nil
}

// maxWindow bounds a limit's window: what is longer is no duration.
const maxWindow = 100 * 365 * 24 * time.Hour

// Kind tells how the quota is held.
func (q *Quota) Kind() Kind {
	switch {
	case q.Measure == policyv1.QuotaMeasure_QUOTA_MEASURE_CONCURRENT_REQUESTS:
		return Slots
	case q.Amount > 0 && q.Window > 0 && q.Window < time.Hour:
		return Rates
	}
	return Amounts
}

// Hard tells whether what goes beyond is refused.
func (q *Quota) Hard() bool { return q.Mode == policyv1.QuotaMode_QUOTA_MODE_HARD }

// Claim is what a request would take of one quota.
type Claim struct {
	Quota *Quota
	// Subject is the end user or the value of a label, where the quota counts each apart.
	Subject string
	// Amount in the quota's unit: nano-dollars, tokens, requests. Below 0 counts as 0.
	Amount int64
}

// maxAmount bounds a claim: what is beyond is never covered, and sums stay in an int64.
const maxAmount = int64(1) << 60

func (c *Claim) amount() int64 {
	if c.Quota.Kind() == Slots {
		return 1
	}
	return min(max(c.Amount, 0), maxAmount)
}
