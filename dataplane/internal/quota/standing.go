package quota

import "time"

// Standing is what is left of a quota, as far as this agent knows.
type Standing struct {
	// Limit of the window, with what was raised and carried over.
	Limit int64
	// Left is what this agent has and what nobody has: other agents count as using all of
	// theirs. What requests under way reserved is not in it.
	Left int64
	// Resets is how long the window, of a rolling one its youngest part, goes on; 0: it has
	// no end, or nobody said.
	Resets time.Duration
}

// Standing tells what is left of a quota of requests, tokens or money, without asking.
// False: nothing is known of it, or it bounds nothing.
func (m *Meter) Standing(q *Quota, subject string) (s Standing, known bool) {
	b := (*m.books.Load())[q.ID]
	if b == nil || b.kind != q.Kind() || b.kind == Slots {
		return Standing{}, false
	}
	a := b.account(subject)
	if a == nil {
		return Standing{}, false
	}
	now := m.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if now < a.gone {
		return Standing{}, false
	}
	if b.kind == Rates {
		return a.share.standing(q, m.unreachable(now), now, m.at(now))
	}
	a.turn(now)
	w := a.now
	if w == nil || w.id == "" {
		return Standing{}, false
	}
	s.Limit, s.Left = w.limit, max(w.available(), 0)+max(w.free, 0)
	if w.over != never {
		s.Resets = time.Duration(w.over - now)
	}
	return s, true
}

func (s *share) standing(q *Quota, unreachable bool, now int64, at time.Time) (Standing, bool) {
	s.roll(q, at)
	most, known := s.bound(q, unreachable, now)
	if known && now < s.until {
		most = max(most, min(s.free, q.Amount))
	}
	return Standing{Limit: q.Amount, Left: max(most-s.used, 0), Resets: s.ends(q, at).Sub(at)}, known
}
