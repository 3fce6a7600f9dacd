package ledger

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/quota"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// call is one of an agent, under way.
type call struct {
	agent   gateway.Agent
	request *agentv1.LeaseRequest
	// current: its boot is the agent's newest.
	current bool
	// ended: the boot said that it spends nothing more, in this call or another.
	ended bool
	// warned: its answer is the first since a restore, and says so of every quota.
	warned  bool
	entries []*entry
	demands []*demand
	answer  *agentv1.LeaseResponse
}

// entry is a holding, with what it is about.
type entry struct {
	holding *agentv1.Holding
	call    *call
	quota   *bound // nil: there is none, or it is off
	key     leaseKey
	span    quota.Span
	// sound: it is of a window that is or was one, in sums that can be.
	sound bool
	// present: requests may begin in its window.
	present bool
	told    totals
	// need and want are bounded, so that sums with them are.
	need, want int64
	account    *account
	lease      *lease
	// limit of the window, and what of it the rest of a rolling one has.
	limit  int64
	others others
	denial agentv1.Grant_Denial
}

// mine tells whether its boot is the call's own.
func (e *entry) mine() bool { return e.key.boot == e.call.request.GetBoot() }

// mayGrant tells whether anything can be granted.
func (e *entry) mayGrant() bool {
	return e.quota != nil && e.sound && e.present && e.call.current && !e.call.ended && e.mine()
}

// plan finds out what each call is about, under the quotas as they are known.
func (b *book) plan() {
	for _, c := range b.calls {
		c.current, c.ended, c.warned = false, false, false
		c.entries, c.demands = make([]*entry, len(c.request.GetHoldings())), make([]*demand, len(c.request.GetDemands()))
		for i, h := range c.request.GetHoldings() {
			c.entries[i] = b.entry(c, h)
		}
		for i, d := range c.request.GetDemands() {
			c.demands[i] = b.demand(c, d)
		}
	}
}

func (b *book) entry(c *call, h *agentv1.Holding) *entry {
	e := &entry{holding: h, call: c, told: totals{granted: h.GetGranted(), spent: h.GetSpent(), returned: h.GetReturned()}}
	e.need, e.want = min(h.GetNeed(), most/4), min(h.GetWant(), most/4)
	e.key.quota, _ = uuid.Parse(h.GetQuotaId()) // a UUID by the rules of the message
	e.key.subject, e.key.window = h.GetSubject(), h.GetWindow()
	e.key.agent, e.key.boot = c.agent.ID, h.GetBoot()
	if e.key.boot == "" {
		e.key.boot = c.request.GetBoot()
	}
	if q, ok := b.quotas[e.key.quota]; ok && !q.shares {
		e.quota = &q
		if !q.apart {
			e.key.subject = ""
		}
	}
	if e.sound = e.placed(b.now) && storable(e.key.subject) && e.told.possible(); !e.sound {
		return e
	}
	if _, err := bootCounter(e.key.boot); err != nil {
		e.sound = false
	}
	if h.GetClosed() {
		e.told.returned = max(e.told.returned, e.told.granted-e.told.spent)
	}
	return e
}

// placed finds the window: the present one, or that of the holding's name. One that
// begins in a moment is present, too: another process's clock may be ahead.
func (e *entry) placed(now time.Time) bool {
	var ok bool
	if e.key.window != "" {
		if e.span, ok = parseWindow(e.key.window); !ok || e.quota == nil {
			return ok
		}
	} else if e.quota == nil {
		return false
	}
	present, err := e.quota.span(now)
	if err != nil {
		return false // of a time zone that this machine does not know
	}
	if e.key.window == "" {
		e.span, e.key.window, e.told = present, windowID(present), totals{}
	}
	e.present = e.span == present
	if !e.present && e.span.Start.After(now) && !e.span.Start.After(now.Add(skew)) {
		next, err := e.quota.span(e.span.Start)
		e.present = err == nil && next == e.span
	}
	return true
}

// possible tells whether the totals are such as quotas can have.
func (t totals) possible() bool {
	return t.granted >= 0 && t.spent >= 0 && t.returned >= 0 && max(t.granted, t.spent, t.returned) < most/2
}

// forgotten tells whether the account of a window may be deleted, or was.
func forgotten(s quota.Span, now time.Time) bool {
	return s != quota.Span{} && now.After(s.End.Add(keepFor).Add(2*s.End.Sub(s.Start)))
}

// wanted is what the plan needs.
func (b *book) wanted(head int64) wanted {
	b.rolling = map[series]rollingKey{}
	agents, accounts, leases, series := map[uuid.UUID]bool{}, map[accountKey]bool{}, map[leaseKey]bool{}, map[series]bool{}
	for _, c := range b.calls {
		agents[c.agent.ID] = true
		for _, e := range c.entries {
			if !e.sound {
				continue
			}
			accounts[e.key.accountKey], leases[e.key] = true, true
			if key, ok := b.rollingOf(e); ok {
				b.rolling[e.key.series], accounts[key.account()] = key, true
			}
			if e.quota == nil || !e.present {
				continue
			}
			if before, after, ok := e.neighbours(); ok {
				accounts[before], accounts[after] = true, true
			}
		}
		for _, d := range c.demands {
			if d.quota != nil {
				series[d.series] = true
			}
		}
	}
	return wanted{
		head: head, agents: slices.Collect(maps.Keys(agents)), accounts: slices.Collect(maps.Keys(accounts)),
		leases: slices.Collect(maps.Keys(leases)), rolling: slices.Collect(maps.Values(b.rolling)), shares: slices.Collect(maps.Keys(series)),
	}
}

// rollingOf is the sub-window that a rolling window ends with: an entry's own, where requests
// may begin in that, or the present one.
func (b *book) rollingOf(e *entry) (key rollingKey, ok bool) {
	if e.quota == nil || e.quota.window.Rolling == nil {
		return key, false
	}
	r, span := *e.quota.window.Rolling, e.span
	if !e.present {
		if _, there := b.rolling[e.key.series]; there {
			return key, false
		}
		span = r.SubWindow(b.now)
	}
	return rollingKey{e.key.series, span.Start, span.End.Sub(span.Start), r.Duration}, true
}

// neighbours are the windows before and after, where one leaves to the next; false: none does.
func (e *entry) neighbours() (before, after accountKey, ok bool) {
	if !e.quota.carryOver || e.span == (quota.Span{}) {
		return before, after, false
	}
	was, err := e.quota.span(e.span.Start.Add(-1))
	if err != nil {
		return before, after, false
	}
	next, err := e.quota.span(e.span.End)
	return accountKey{e.key.series, windowID(was)}, accountKey{e.key.series, windowID(next)}, err == nil
}
