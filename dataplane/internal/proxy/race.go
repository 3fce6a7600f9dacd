package proxy

import (
	"errors"
	"sync"
	"time"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// errOvertaken ends an attempt while the one beside it goes on.
var errOvertaken = errors.New("another attempt was first")

// race is an attempt, and the one beside it once the first had no content for long. Each
// runs in a goroutine of its own and touches nothing but itself until one of them decides
// the request: with content, or a whole good answer, or as the last that failed. From then
// on the exchange is that one's alone. An attempt that fails while the other runs leaves it
// the request.
type race struct {
	exchange *exchange
	timer    *time.Timer
	first    *upstream

	mu sync.Mutex
	// beside is nil until it is made; owner until one decides the request.
	beside, owner *upstream
	// done is closed when the attempt beside has returned; nil: there is none.
	done chan struct{}
}

// run makes the first attempt, and tells whether another one is to follow the race.
func (r *race) run() (again bool) {
	returned := false
	defer func() {
		if !returned {
			r.abandon()
		}
	}()
	r.first.run()
	returned = true
	return r.wait()
}

// abandon ends a race whose first attempt panicked: nothing may use the exchange once net/http
// has recovered.
func (r *race) abandon() {
	r.mu.Lock()
	if r.owner == nil {
		r.owner = r.first
		for _, u := range []*upstream{r.first, r.beside} {
			if u != nil && !u.out {
				u.out = true
				u.cancel(errOvertaken)
				u.close(end{outcome: usagev1.Outcome_OUTCOME_INTERRUPTED})
			}
		}
	}
	r.mu.Unlock()
	r.wait()
}

// wait returns when both have returned, and tells whether another attempt is to follow.
func (r *race) wait() (again bool) {
	r.mu.Lock()
	r.timer.Stop()
	done := r.done
	r.mu.Unlock()
	if done != nil {
		<-done
	}
	return r.owner != nil && r.owner.again
}

// other is the attempt that runs beside u; nil: none was made.
func (r *race) other(u *upstream) *upstream {
	if u == r.first {
		return r.beside
	}
	return r.first
}

// own gives the exchange to an attempt. The other one is let go and recorded as outcome: its
// provider may bill what it made until it learns that nobody reads, and more where it does
// not care.
func (r *race) own(u *upstream, outcome usagev1.Outcome) {
	e := r.exchange
	r.timer.Stop()
	r.owner, e.up, u.won = u, u, true
	e.waited += u.waited
	if r.beside == nil {
		return
	}
	e.tellTarget()
	other := r.other(u)
	if other.out {
		return
	}
	other.out = true
	other.cancel(errOvertaken)
	other.close(e.ifCut(end{outcome: outcome, unused: other.reached.seal()}))
	if other == r.first && outcome == usagev1.Outcome_OUTCOME_OVERTAKEN {
		e.handler.metrics.hedgesWon.Inc()
		now := e.handler.config.Now()
		other.pace.Note(e.request.Stream, e.elapsed()-other.begun, now) // it took that long, or longer
	}
}

// single tells whether the exchange is this attempt's alone.
func (u *upstream) single() bool { return u.race == nil || u.won }

// wins makes the attempt the one that decides the request; false: the other one is, and there
// is nothing more to do.
func (u *upstream) wins() bool { return u.claims(usagev1.Outcome_OUTCOME_OVERTAKEN) }

// claims is wins, where the other one is recorded as outcome.
func (u *upstream) claims(outcome usagev1.Outcome) bool {
	r := u.race
	if u.single() {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.owner != nil || u.out {
		return false
	}
	r.own(u, outcome)
	return true
}

// lost tells whether the other one decided the request.
func (u *upstream) lost() bool {
	if u.single() {
		return false
	}
	u.race.mu.Lock()
	defer u.race.mu.Unlock()
	return u.out
}

// aside tells whether an attempt that failed has nothing more to do: the other one decided
// the request, or is to.
func (u *upstream) aside(how snapshot.Failures, end end) bool {
	r := u.race
	if u.single() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if u.out {
		return true
	}
	other := r.other(u)
	if other == nil || other.out {
		r.own(u, usagev1.Outcome_OUTCOME_OVERTAKEN)
		return false
	}
	u.out = true
	u.fails(how)
	u.close(r.exchange.ifCut(end))
	return true
}

// alone runs what both attempts may do, one at a time, unless the other one decided the
// request.
func (u *upstream) alone(do func() bool) bool {
	if u.single() {
		return do()
	}
	u.race.mu.Lock()
	defer u.race.mu.Unlock()
	return u.out || do()
}

// waits counts time as spent waiting for the upstream, once where two attempts wait.
func (u *upstream) waits(d time.Duration) {
	if u.single() {
		u.exchange.waited += d
		return
	}
	u.waited += d
}

// heard notes how long the target took to its first content, where hedges go by it.
func (u *upstream) heard(now time.Duration) {
	if u.pace != nil {
		u.pace.Note(u.exchange.request.Stream, now-u.begun, u.exchange.handler.config.Now())
	}
}

// racing are the parts of an attempt that its race uses, under the race's lock but for won,
// which is the attempt's own.
type racing struct {
	race *race
	pace *balance.Pace
	// won: the exchange is this attempt's. out: it is the other's, or to be.
	won, out bool
	// waited is the time spent waiting for the upstream, while neither decided the request.
	waited time.Duration
}
