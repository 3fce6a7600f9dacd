package balance

import "time"

// Status is what is published of a target.
type Status struct {
	Standing Standing
	// Reason why it is not Closed, in words.
	Reason string
	// Since is for how long it has stood so.
	Since time.Duration
	// First is the expected time to first content, PerToken that of an output token after
	// it; 0: not known.
	First, PerToken time.Duration
	// InFlight are the requests under way, Tried those that ever began, Waiting those that wait
	// for what the upstream allows the account.
	InFlight, Tried, Waiting int64
}

// Status of the target.
func (t *Target) Status(now time.Time) Status {
	at := t.targets.since(now)
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Status{
		Standing: t.breaker.standing(at), Reason: t.breaker.reason,
		First: time.Duration(t.first.load()), PerToken: time.Duration(t.token.load()),
		InFlight: t.inFlight.Load(), Tried: t.tried.Load(), Waiting: int64(t.pool.Waiting()),
	}
	since := t.breaker.changed
	if s.Standing == Due || s.Standing == Probed {
		since = t.breaker.until.Load()
	}
	s.Since = max(0, time.Duration(at-since))
	return s
}
