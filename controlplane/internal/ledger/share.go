package ledger

import (
	"slices"
	"time"

	"github.com/google/uuid"

	contract "github.com/weirhq/weir/proto/contract/share"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// shareKept is about how long a row is kept of an agent that asks no more.
const shareKept = 10 * time.Minute

// demand is an agent's for a rate or slots.
type demand struct {
	call   *call
	quota  *bound // nil: there is none, or it is off
	series series
	amount int64
	// given is the share's amount, free what others can't be using.
	given, free int64
}

// share is what an agent has of a rate, or of slots.
type share struct {
	demand int64
	heard  time.Time
	// parts are what the agent may be going by: the last answer and, since that may have been
	// lost, each one before that allowed more. Largest first; each is good for longer than
	// the one before.
	parts []part
	stored
}

// part is an amount and until when it is good.
type part struct {
	amount int64
	until  time.Time
}

// used is the most that the agent may be using.
func (s *share) used(now time.Time) int64 {
	for _, p := range s.parts {
		if now.Before(p.until) {
			return p.amount
		}
	}
	return 0
}

// give adds an answer and forgets those that are over or smaller.
func (s *share) give(amount int64, now time.Time) {
	s.parts = slices.DeleteFunc(s.parts, func(p part) bool { return !now.Before(p.until) || p.amount <= amount })
	s.parts = append(s.parts, part{amount, now.Add(contract.Term + contract.Margin)})
	s.change()
}

// asks tells whether the agent still does.
func (s *share) asks(now time.Time) bool {
	return s.demand > 0 && now.Sub(s.heard) < contract.Term+contract.Margin
}

func (b *book) demand(c *call, d *agentv1.Demand) *demand {
	found := &demand{call: c, amount: min(d.GetAmount(), most/4)}
	found.series.quota, _ = uuid.Parse(d.GetQuotaId()) // a UUID by the rules of the message
	if q, ok := b.quotas[found.series.quota]; ok && q.shares && storable(d.GetSubject()) {
		found.quota = &q
		if q.apart {
			found.series.subject = d.GetSubject()
		}
	}
	return found
}

// share answers demands: each agent gets its part, as far as what the others may be using
// leaves it.
func (b *book) share() {
	now := b.state.now
	for _, c := range b.calls {
		for _, d := range c.demands {
			if d.quota != nil && c.current {
				s := b.shareOf(d)
				s.demand, s.heard, s.dirty = d.amount, now, true
			}
		}
	}
	for _, c := range b.calls {
		for _, d := range c.demands {
			if d.quota == nil || !c.current {
				continue
			}
			all := b.state.shares[d.series]
			free := d.quota.amount
			for id, other := range all {
				if id != c.agent.ID {
					free -= other.used(now)
				}
			}
			d.given = max(0, min(portion(all, c.agent.ID, d.quota.amount, now), free))
			all[c.agent.ID].give(d.given, now)
			d.free = max(0, free)
		}
	}
}

func (b *book) shareOf(d *demand) *share {
	all := b.state.shares[d.series]
	if all == nil {
		all = map[uuid.UUID]*share{}
		b.state.shares[d.series] = all
	}
	return orMade(all, d.call.agent.ID, share{})
}

// portion is one agent's part of an amount, among those that ask.
func portion(all map[uuid.UUID]*share, mine uuid.UUID, amount int64, now time.Time) int64 {
	var ids []uuid.UUID
	for id, s := range all {
		if s.asks(now) {
			ids = append(ids, id)
		}
	}
	if !slices.Contains(ids, mine) {
		return 0
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	demands := make([]int64, len(ids))
	for i, id := range ids {
		demands[i] = all[id].demand
	}
	return contract.Split(demands, amount, now)[slices.Index(ids, mine)]
}

func (d *demand) answer() *agentv1.Share {
	switch {
	case d.quota == nil:
		return &agentv1.Share{Denial: agentv1.Grant_DENIAL_GONE}
	case !d.call.current:
		return &agentv1.Share{Denial: agentv1.Grant_DENIAL_OLD_BOOT}
	}
	s := &agentv1.Share{Amount: d.given, TermMs: contract.Term.Milliseconds(), Free: d.free}
	switch {
	case d.given == 0 && d.amount > 0: // others have it all
		s.Denial = agentv1.Grant_DENIAL_HELD
	case d.call.warned:
		s.Denial = agentv1.Grant_DENIAL_RESTORED
	}
	return s
}
