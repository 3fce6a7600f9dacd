package quota_test

import (
	"slices"
	"time"

	"github.com/weirhq/weir/proto/contract/share"
)

// parts are what agents have of one rate, as the control plane's ledger keeps them: a share is
// given as far as what the others may still be using leaves it.
type parts struct {
	names []string // in their order
	of    map[string]*part
}

type part struct {
	demand int64
	heard  time.Time
	given  []given // largest first
}

type given struct {
	amount int64
	until  time.Time
}

func (p *parts) ask(agent string, demand, limit int64) (amount, free int64) {
	now := time.Now()
	if p.of == nil {
		p.of = map[string]*part{}
	}
	if p.of[agent] == nil {
		p.of[agent] = &part{}
		p.names = append(p.names, agent)
		slices.Sort(p.names)
	}
	mine := p.of[agent]
	mine.demand, mine.heard = demand, now
	free = limit
	var demands []int64
	at := -1
	for _, name := range p.names {
		other := p.of[name]
		if name != agent {
			free -= other.using(now)
		}
		if other.demand > 0 && now.Sub(other.heard) < share.Term+share.Margin {
			if name == agent {
				at = len(demands)
			}
			demands = append(demands, other.demand)
		}
	}
	free = max(free, 0)
	if at >= 0 {
		amount = min(share.Split(demands, limit, now)[at], free)
	}
	mine.given = slices.DeleteFunc(mine.given, func(g given) bool { return !now.Before(g.until) || g.amount <= amount })
	mine.given = append(mine.given, given{amount, now.Add(share.Term + share.Margin)})
	return amount, free
}

func (p *part) using(now time.Time) int64 {
	for _, g := range p.given {
		if now.Before(g.until) {
			return g.amount
		}
	}
	return 0
}
