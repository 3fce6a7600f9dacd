package ledger

import (
	"github.com/google/uuid"
)

// seenRows is how many rows of one organization are remembered, and seenByAll of all of them:
// a row takes some 400 bytes.
const (
	seenRows  = 1000
	seenByAll = 200_000
)

// seen is what a process remembers of an organization's rows, those that are not there
// included. It is what the store has as long as the store has this stamp: whoever writes a row
// writes a new one, in the same transaction. The zero seen is of no store.
type seen struct {
	stamp    uuid.UUID
	restored restore
	agents   map[uuid.UUID]known
	accounts map[accountKey]account
	leases   map[leaseKey]lease
}

func (s seen) size() int { return len(s.agents) + len(s.accounts) + len(s.leases) }

// split tells which rows of those that are wanted are remembered, and which are not.
func (s seen) split(w wanted) (remembered, rest wanted) {
	remembered.agents, rest.agents = parted(w.agents, s.agents)
	remembered.accounts, rest.accounts = parted(w.accounts, s.accounts)
	remembered.leases, rest.leases = parted(w.leases, s.leases)
	return remembered, rest
}

func parted[K comparable, V any](keys []K, remembered map[K]V) (in, out []K) {
	for _, key := range keys {
		if _, ok := remembered[key]; ok {
			in = append(in, key)
		} else {
			out = append(out, key)
		}
	}
	return in, out
}

// presumed is the state that is wanted, if nothing changed; false: not all of it is remembered, or
// can be written in one statement.
func (s seen) presumed(w wanted) (*state, bool) {
	all, rest := s.split(w)
	tooMany := max(len(w.agents), len(w.accounts), len(w.leases)) > mostListed
	if s.stamp == uuid.Nil || w.head == 0 || rest.rows() > 0 || tooMany || len(w.rolling)+len(w.shares) > 0 {
		return nil, false
	}
	presumed := newState()
	presumed.stamp, presumed.asSeen, presumed.head, presumed.restored = s.stamp, true, w.head, s.restored
	s.recall(presumed, all)
	return presumed, true
}

func (w wanted) rows() int { return len(w.agents) + len(w.accounts) + len(w.leases) }

// recall puts remembered rows into a state that has the stamp.
func (s seen) recall(into *state, w wanted) {
	for _, id := range w.agents {
		if k := s.agents[id]; k.there {
			into.agents[id] = &k
		}
	}
	for _, key := range w.accounts {
		if a := s.accounts[key]; a.there {
			into.accounts[key] = &a
		}
	}
	for _, key := range w.leases {
		if l := s.leases[key]; l.there {
			into.leases[key] = &l
		}
	}
}

// remember is what is known after a transaction that wanted these rows and did all that its
// state says. What was known before it stays known where nobody else wrote since.
func (s seen) remember(done *state, w wanted) seen {
	next := seen{stamp: done.stamp, restored: done.restored}
	if next.stamp == uuid.Nil {
		return seen{}
	}
	if done.asSeen && s.size() < seenRows {
		next.agents, next.accounts, next.leases = s.agents, s.accounts, s.leases
	}
	if next.agents == nil {
		next.agents, next.accounts, next.leases = map[uuid.UUID]known{}, map[accountKey]account{}, map[leaseKey]lease{}
	}
	for _, id := range w.agents {
		next.agents[id] = known{agent: id}
	}
	for _, key := range w.accounts {
		next.accounts[key] = account{accountKey: key}
	}
	for _, key := range w.leases {
		next.leases[key] = lease{leaseKey: key}
	}
	next.there(done)
	if next.size() > seenRows {
		return seen{}
	}
	return next
}

// there notes the rows that the store has, without what is said of them in a transaction.
func (s seen) there(done *state) {
	for id, one := range done.agents {
		if one.there {
			k := *one
			k.forced, k.stored = false, stored{there: true}
			s.agents[id] = k
		}
	}
	for key, one := range done.accounts {
		if one.there {
			a := *one
			a.overran, a.rolling, a.rolled, a.stored = 0, false, nil, stored{there: true}
			s.accounts[key] = a
		}
	}
	for key, one := range done.leases {
		if one.there {
			l := *one
			l.forced, l.stored = false, stored{there: true}
			s.leases[key] = l
		}
	}
}
