package balance

import "time"

// Class is whose turn comes first of those that wait.
type Class int

// Batch is what nobody waits for, Interactive what a person does.
const (
	Batch Class = iota
	Normal
	Interactive
	classCount
)

// spared is how much of what is served above a class that waits is for it: one in spared, and
// so much of the line's places.
const spared = 10

// Wish is a request that is to wait for its turn.
type Wish struct {
	Asker
	Class  Class
	Tokens int64
	// Most may wait at once.
	Most int
	// Until is the latest that its turn is of use.
	Until time.Time
}

// Turn is a request that waits for the upstream's account, or whose turn has come. Taken or
// Leave is to follow.
type Turn struct {
	pool   *Pool
	who    Asker
	class  *class
	in     *queue
	cost   [pooled]int64
	weighs int64 // cost, in billionths of the limit that it takes the most of
	ready  chan struct{}
	state  turnState
}

type turnState int

const (
	waits turnState = iota
	came
	displaced
	over
)

// line are the requests that wait, ordered by class, then fairly by project and by key, then
// as they came. Its timer is there only while somebody waits.
type line struct {
	classes [classCount]class
	count   int
	clock   func() time.Time
	timer   *time.Timer
}

// Join has a request wait for its turn. Nil: it would have to for longer than is of use, or is
// more than there ever is, or others have more of a right to the places that there are (full);
// again is when to come then.
// One that is displaced by it is told by Ready.
func (p *Pool) Join(w Wish, clock func() time.Time) (t *Turn, again time.Duration, full bool) {
	now := clock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.starts(now)
	if again = p.beyond(costOf(w.Tokens), now); again > 0 {
		return nil, again, false
	}
	if p.line == nil {
		p.line = &line{clock: clock}
		p.line.timer = time.AfterFunc(time.Hour, p.wake)
	}
	t = p.line.add(p, w)
	p.move(now)
	if t.state == came {
		return t, 0, false
	}
	if again = p.expect(t, now); now.Add(again).After(w.Until) {
		t.state = over
		p.drop(t, now)
		return nil, again, false
	}
	if p.line.count > w.Most {
		out := p.line.worst(w.Most)
		out.state = displaced
		close(out.ready)
		p.drop(out, now)
		if out == t {
			return nil, again, true
		}
	}
	return t, 0, false
}

// Ready is closed when the turn has come, or the place was another's; Came tells which.
func (t *Turn) Ready() <-chan struct{} { return t.ready }

// Came tells whether it is the request's turn.
func (t *Turn) Came() bool {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	return t.state == came
}

// Taken is Sent of a request whose turn has come: Answered is to follow.
func (t *Turn) Taken() {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	t.state = over
}

// Leave gives up the place, or the turn where it came and is not used; again is about how
// long it would have been. Further calls, and those after Taken, do nothing.
func (t *Turn) Leave(now time.Time) (again time.Duration) {
	p := t.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	switch t.state {
	case waits:
		again = p.expect(t, now)
		t.state = over
		p.drop(t, now)
	case came:
		for i, c := range t.cost {
			p.under[i] -= c
			if r := &p.rests[i]; !r.until.IsZero() {
				r.sent -= min(c, r.sent)
			}
		}
		p.move(now)
	}
	t.state = over
	return again
}

// Waiting is how many wait for their turn.
func (p *Pool) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line == nil {
		return 0
	}
	return p.line.count
}

// Spare is Allow where requests wait: whose turn it is follows from their order, not from what
// each got before.
func (p *Pool) Spare(who Asker, tokens int64, now time.Time) (wait time.Duration, ok bool) {
	if !p.tight.Load() {
		return 0, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.starts(now)
	p.move(now)
	for i := range p.rests {
		if r := &p.rests[i]; !r.until.IsZero() {
			r.of(who)
		}
	}
	wait = p.due(costOf(tokens), [pooled]int64{}, now)
	return wait, wait == 0 && p.line == nil
}

// due is how long it is until so much may be sent, behind what is ahead of it; 0: it may now.
func (p *Pool) due(cost, ahead [pooled]int64, now time.Time) (wait time.Duration) {
	for i, c := range cost {
		if r := &p.rests[i]; !r.until.IsZero() {
			wait = max(wait, r.due(c, ahead[i], p.under[i], now))
		}
	}
	return wait
}

// beyond is until when less is known to be there at most than so much; 0: it is not. Who waits
// for that would hold up all others in vain.
func (p *Pool) beyond(cost [pooled]int64, now time.Time) (wait time.Duration) {
	for i, c := range cost {
		if r := &p.rests[i]; !r.until.IsZero() && float64(c) > r.limit {
			wait = max(wait, r.until.Sub(now))
		}
	}
	return wait
}

func (r *rest) due(cost, ahead, under int64, now time.Time) time.Duration {
	free, all := r.free(under, now), ahead+cost
	switch {
	case free < all:
		return r.comes(all-free, now)
	case r.alone(), r.sent+all <= r.there(free, now), free-all >= int64(r.limit)/easyAbove:
		return 0
	}
	wait := r.grows(float64(r.sent+all), free, now)
	if r.rate > 0 {
		wait = min(wait, max(r.paced.Sub(now)+r.half(ahead), 0))
	}
	return wait
}

// half is how long so much of a bucket takes of whose reserve others had some: one half of what
// comes back is used, the other mends that.
func (r *rest) half(cost int64) time.Duration { return time.Duration(2 * float64(cost) / r.rate) }

// alone tells that there is nobody to leave anything to.
func (r *rest) alone() bool {
	for _, project := range r.projects {
		return len(r.projects) == 1 && len(project.keys) == 1
	}
	return true
}

// wake is the timer's.
func (p *Pool) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line == nil {
		return
	}
	now := p.line.clock()
	p.starts(now)
	p.move(now)
}

// move gives turns to those that are next while there is something for them, and sets the
// timer for the one after.
func (p *Pool) move(now time.Time) {
	for p.line != nil {
		t := p.line.next()
		if p.beyond(t.cost, now) > 0 { // the limit is another one by now
			p.line.remove(t)
			t.state = displaced
			close(t.ready)
			p.empty()
			continue
		}
		wait := p.due(t.cost, [pooled]int64{}, now)
		if wait > 0 {
			p.line.timer.Reset(wait)
			return
		}
		p.line.serve(t)
		t.state = came
		p.count(t.who, t.cost)
		p.pace(t.cost, now)
		close(t.ready)
		p.empty()
	}
}

// pace notes when the next may go where a reserve has to come back first.
func (p *Pool) pace(cost [pooled]int64, now time.Time) {
	for i, c := range cost {
		if r := &p.rests[i]; r.rate > 0 {
			r.paced = now.Add(r.half(c))
		}
	}
}

// drop takes one out that waits no more; those behind it move up.
func (p *Pool) drop(t *Turn, now time.Time) {
	p.line.remove(t)
	p.empty()
	p.move(now)
}

func (p *Pool) empty() {
	if p.line.count == 0 {
		p.line.timer.Stop()
		p.line = nil
	}
}

// expect is about how long it is until the turn comes, if nobody else comes before.
func (p *Pool) expect(t *Turn, now time.Time) time.Duration {
	return max(p.due(t.cost, p.line.before(t), now), time.Millisecond)
}
