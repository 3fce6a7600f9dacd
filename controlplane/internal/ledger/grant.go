package ledger

import (
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// grant gives slices to those that ask: first what requests wait for, whole or not at
// all, then what agents would like to have.
//
// Both are counted from what the agent says it was granted, so that a call that comes
// twice, or whose answer was lost, gets nothing twice.
func grant(asking []*entry) {
	newcomers := map[*account]int64{}
	for _, e := range asking {
		if e.need > 0 {
			e.grantNeed()
		}
		newcomers[e.account] += count(e.lease.held() == 0)
	}
	for _, e := range asking {
		stranger := count(e.lease.held() == 0)
		e.grantWant(e.account.holders + newcomers[e.account])
		newcomers[e.account] -= stranger
		e.deny()
	}
}

// base is the total that need and want are counted from. Where the agent named no window
// it knows of nothing there: what it holds all the same was granted in an answer that
// it did not get.
func (e *entry) base() int64 {
	if e.holding.GetWindow() == "" {
		return e.lease.spent + e.lease.returned
	}
	return e.told.granted
}

func (e *entry) grantNeed() {
	missing := min(e.base()+e.need, most) - e.lease.granted
	if missing <= 0 {
		return
	}
	if missing > e.account.free() {
		e.denial = e.beyond()
		if e.quota.hard {
			return
		}
	}
	e.give(missing)
}

// grantWant gives at most an even part of what is free, with one part left for who comes
// next: slices shrink as the remainder does. Agents of quotas that are not hard get all
// that they want where nothing is free.
func (e *entry) grantWant(agents int64) {
	unspent := int64(0)
	base := e.base()
	if e.holding.GetWindow() != "" {
		unspent = max(0, e.told.granted-e.told.spent-e.told.returned)
	}
	if e.denial == 0 || !e.quota.hard {
		base = min(base+e.need, most)
	}
	missing := min(base+max(0, e.want-unspent), most) - e.lease.granted
	if missing <= 0 {
		return
	}
	slice := min(missing, e.account.free()/(agents+1))
	if slice == 0 && !e.quota.hard {
		e.denial, slice = e.beyond(), missing
	}
	e.give(slice)
}

func (e *entry) give(amount int64) {
	next := e.lease.totals
	next.granted = min(add(next.granted, amount), most)
	e.account.put(e.lease, next)
}

// beyond is why more than what is free is not granted, or is only because the quota is
// not hard.
func (e *entry) beyond() agentv1.Grant_Denial {
	if e.account.spent+e.others.spent >= e.limit {
		return agentv1.Grant_DENIAL_EXHAUSTED
	}
	return agentv1.Grant_DENIAL_HELD
}

// deny says why an agent that asked has nothing to spend.
func (e *entry) deny() {
	if e.denial == 0 && e.lease.held() == 0 && e.account.free() == 0 {
		e.denial = e.beyond()
	}
}
