package ledger

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/quota"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// book is what one transaction does: calls of one organization, and the rows that they
// are about. All that it decides it decides in memory; the organization's lock makes that
// as good as doing it in the store.
type book struct {
	quotas map[uuid.UUID]bound
	// now by the clock of windows.
	now   time.Time
	calls []*call
	state *state
	// asked is what the state was read for.
	asked wanted
	// rolling are the sub-windows that the rolling windows of series end with, and rolled what
	// is spent in these.
	rolling map[series]rollingKey
	rolled  map[series]*rolled
	// freed are leases whose holdings are free again.
	freed []leaseKey
	// swept: those of silent agents were looked for.
	swept bool
	// waiting: agents have not told since a restore what they hold, and quotas that are
	// not released wait for them. calm: nobody is waited for.
	waiting, calm bool
	released      map[uuid.UUID]bool
}

// read fetches what the plan needs.
func (b *book) read(ctx context.Context, t tx, mine *lane, head int64) (err error) {
	b.asked = b.wanted(head)
	b.asked.seen, b.asked.trust = mine.seen, mine.trust
	if b.state, err = t.read(ctx, b.asked); err != nil {
		return err
	}
	b.rolled = map[series]*rolled{}
	for _, c := range b.calls {
		for _, e := range c.entries {
			if e.sound {
				e.account, e.lease = b.state.account(e.key.accountKey), b.state.lease(e.key)
				e.account.span = e.span
			}
		}
	}
	return nil
}

// sweep notes which boots are the newest, and which are over, and finds what is free because
// its agent has settled up or ended or, of quotas that are not hard, has been silent for long.
func (b *book) sweep(ctx context.Context, t tx, silent bool) error {
	for _, c := range b.calls {
		b.state.agent(c.agent.ID).hear(c.request.GetBoot(), b.now)
	}
	var settled, ended []*known
	for _, c := range b.calls {
		k := b.state.agent(c.agent.ID)
		if c.current = c.request.GetBoot() == k.boot; !c.current {
			continue
		}
		if c.request.GetSettledUp() && k.settled != k.boot {
			k.settled, k.dirty, k.forced = k.boot, true, true
			settled = append(settled, k)
		}
		if c.request.GetEnded() && k.ended != k.boot {
			k.ended, k.dirty, k.forced = k.boot, true, true
			ended = append(ended, k)
		}
	}
	if len(settled)+len(ended) > 0 {
		keys, err := t.over(ctx, settled, ended)
		if err != nil {
			return err
		}
		b.freed = keys
	}
	for _, c := range b.calls {
		c.ended = b.state.agent(c.agent.ID).ended == c.request.GetBoot()
	}
	if silent {
		b.swept = true
		keys, err := b.silent(ctx, t)
		if err != nil {
			return err
		}
		b.freed = append(b.freed, keys...)
	}
	if len(b.freed) == 0 {
		return nil
	}
	return t.add(ctx, b.state, b.freed)
}

func (b *book) silent(ctx context.Context, t tx) ([]leaseKey, error) {
	var soft []uuid.UUID
	for id, q := range b.quotas {
		if !q.hard && !q.shares {
			soft = append(soft, id)
		}
	}
	if len(soft) == 0 {
		return nil, nil
	}
	found, err := t.silent(ctx, soft, b.now.Add(-softAfter))
	var keys []leaseKey
	for _, key := range found {
		if k := b.state.agents[key.agent]; k == nil || k.boot != key.boot { // else it calls just now
			keys = append(keys, key)
		}
	}
	return keys, err
}

// decide settles all that was told, then grants what is needed, then what is wanted.
func (b *book) decide() {
	for _, present := range []bool{false, true} { // a window that is over leaves something to the next
		for _, e := range b.entries() {
			if e.present == present {
				b.allow(e)
				b.settle(e)
			}
		}
	}
	for _, key := range b.freed {
		l := b.state.lease(key)
		b.state.account(key.accountKey).put(l, l.merged(totals{returned: l.granted - l.spent}))
	}
	var asking []*entry
	for _, e := range b.entries() {
		if e.mayGrant() && e.need+e.want > 0 {
			if e.denial = b.denied(e); e.denial == 0 {
				asking = append(asking, e)
			}
		}
	}
	grant(asking)
	b.share()
	b.raise()
}

func (b *book) entries() (all []*entry) {
	for _, c := range b.calls {
		for _, e := range c.entries {
			if e.sound {
				all = append(all, e)
			}
		}
	}
	return all
}

// allow finds out how much may be spent and held in an entry's window. Of a window that is
// over nothing changes.
func (b *book) allow(e *entry) {
	a := e.account
	a.rolling, a.rolled = e.quota != nil && e.quota.window.Rolling != nil, b.rolledOf(e)
	if e.quota == nil || !e.present {
		if e.quota != nil && !a.there {
			a.amount, a.room = e.quota.amount, e.quota.total(b.now)
		}
		e.limit = a.room
		return
	}
	carried, room := int64(0), int64(0)
	e.limit = e.quota.total(b.now)
	if before, after, ok := e.neighbours(); ok {
		carried = b.state.account(before).left()
		e.limit = add(e.limit, carried)
		room = -b.state.account(after).carried // which another process's clock has begun
	}
	e.others = b.state.others[e.key.series]
	room = max(0, add(room, e.limit)-e.others.spent-e.others.held)
	if a.amount != e.quota.amount || a.carried != carried || a.room != room {
		a.amount, a.carried, a.room = e.quota.amount, carried, room
		a.dirty = a.there
	}
}

// rolledOf is the rolling window that an entry counts in; nil: in none, any more.
func (b *book) rolledOf(e *entry) *rolled {
	key, ok := b.rolling[e.key.series]
	if age := key.start.Sub(e.span.Start); !ok || age < 0 || age >= key.duration {
		return nil
	}
	if b.rolled[key.series] == nil { // nothing of it was settled yet
		r := &rolled{spent: b.state.others[key.series].earlier, limit: e.quota.total(b.now)}
		if last := b.state.accounts[key.account()]; last != nil {
			r.spent = add(r.spent, last.spent)
		}
		b.rolled[key.series] = r
	}
	return b.rolled[key.series]
}

// settle takes what an agent told of a lease. What nobody has on record is of no quota
// that was there, or of a window that is forgotten: nothing is kept of it.
func (b *book) settle(e *entry) {
	if !e.account.there && (e.quota == nil || forgotten(e.span, b.now)) {
		return
	}
	k := b.state.agent(e.key.agent)
	if e.holding.GetClosed() && e.call.current && newer(k.boot, e.key.boot) {
		// Nothing is ever granted to it again: what answers were lost for is free as well. The
		// earlier start itself, in a call that comes late, knew only what it had by then.
		e.told.returned = max(e.told.returned, e.lease.granted-max(e.lease.spent, e.told.spent))
	}
	e.account.put(e.lease, e.lease.merged(e.told))
	if e.lease.held() > 0 && !e.mine() {
		if e.call.current && k.settled == k.boot { // it was not settled up after all
			k.settled, k.dirty = "", true
		}
	}
}

// denied tells what stands against any grant.
func (b *book) denied(e *entry) agentv1.Grant_Denial {
	if e.quota.hard && b.waiting && !b.released[e.key.quota] && (e.span == quota.Span{} || e.quota.shown(e.span).Start.Before(b.state.restored.at)) {
		return agentv1.Grant_DENIAL_RESTORED
	}
	return 0
}
