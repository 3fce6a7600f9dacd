package balance

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// A pool is tight where less than one in tightBelow is left, until one in easyAbove is.
	tightBelow = 4
	easyAbove  = 2
	// longestTight bounds for how long an upstream is believed that says no more.
	longestTight = time.Minute
	// One in head of what is left may be used at once; the rest comes with the time until the
	// reset, so that there is something for who comes later.
	head = 4
	// Of a bucket that fills all the time one in reserve of its limit stays for who comes later.
	reserve = 8
	// A reset that comes later than was said at first, by more than slack, is one of a bucket:
	// that of a window stays, but for whole seconds.
	slack = time.Second
	// farOff is later than any window ends.
	farOff = 1000 * time.Hour
	// maxAskers bounds the keys that are told apart; those beyond share as one.
	maxAskers = 1000
)

// Pooled is what an upstream's limits count.
type Pooled int

// Requests and tokens are what upstreams tell of.
const (
	PooledRequests Pooled = iota
	PooledTokens
	pooled
)

// Rest is what an upstream says is left of a limit of its own.
type Rest struct {
	Limit, Left int64
	// Resets is how long until all of it is there again.
	Resets time.Duration
}

// Pool is what is left of an upstream's own limits, as its answers tell: of the account behind
// the credential, which this agent may share. While little is left, keys get parts of it by weight.
// It is safe for concurrent use.
type Pool struct {
	tight atomic.Bool
	mu    sync.Mutex
	under [pooled]int64 // of attempts that had no answer yet, and of turns that came
	rests [pooled]rest
	line  *line // nil: nobody waits
}

// rest is one limit while little of it is left; until is zero where there is enough.
type rest struct {
	left         int64
	heard        time.Time // when that was said
	since, until time.Time
	// If it is a window, it ends between these two.
	notYet, ends time.Time
	// rate is how many come back in a nanosecond, where it is a bucket that fills all the time;
	// 0: it is a window, or nothing says otherwise yet.
	rate, limit float64
	paced       time.Time // when the next may go of those that wait for a bucket's reserve
	sent        int64     // since then, by this agent
	projects    map[string]*asker
	askers      int
}

// asker is a project, or a key of one.
type asker struct {
	asked, got, weight int64
	keys               map[string]*asker
}

// Asker is whose request it is.
type Asker struct {
	Project, Key string
	// Weights of what they get, the key's within its project; 0: 1.
	ProjectWeight, KeyWeight int64
}

// Pool is of the account that the target is asked with.
func (t *Target) Pool() *Pool { return &t.pool }

// Allow tells whether a request of so many tokens may go to the upstream now; else how long it
// is until it may. It takes nothing.
func (p *Pool) Allow(who Asker, tokens int64, now time.Time) (wait time.Duration, ok bool) {
	if !p.tight.Load() {
		return 0, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.starts(now)
	for i, cost := range costOf(tokens) {
		r := &p.rests[i]
		if r.until.IsZero() {
			continue
		}
		if after, fits := r.allow(who, cost, p.under[i], now); !fits {
			wait = max(wait, after)
		}
	}
	return wait, wait == 0
}

// costOf a request of so many tokens.
func costOf(tokens int64) [pooled]int64 {
	return [...]int64{PooledRequests: 1, PooledTokens: max(tokens, 1)}
}

// starts forgets the limits that start over.
func (p *Pool) starts(now time.Time) {
	for i := range p.rests {
		switch r := &p.rests[i]; {
		case r.until.IsZero() || now.Before(r.until):
		case p.line == nil:
			*r = rest{}
		default:
			r.restart(p.line.next().cost[i], now)
		}
	}
	p.settle()
}

// restart of a limit that requests wait for: not all of them may go at once. next is what the
// first of them takes.
func (r *rest) restart(next int64, now time.Time) {
	switch {
	case r.rate > 0:
		r.left = r.free(0, now)
	case now.Before(r.ends):
		r.left = next // nothing was heard for long: one is to find out
	default:
		r.left, r.ends = int64(r.limit), now.Add(farOff)
	}
	r.heard, r.since, r.until, r.sent = now, now, now.Add(longestTight), 0
	r.projects, r.askers = map[string]*asker{}, 0
}

// Sent counts an attempt that goes to the upstream. Answered is to follow.
func (p *Pool) Sent(who Asker, tokens int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count(who, costOf(tokens))
}

func (p *Pool) count(who Asker, cost [pooled]int64) {
	for i, c := range cost {
		p.under[i] += c
		if r := &p.rests[i]; !r.until.IsZero() {
			r.sent += c
			project, key := r.of(who)
			project.got += c
			key.got += c
		}
	}
}

// Answered takes in what the answer to an attempt of so many tokens, which was sent then, says
// is left; nil of what it does not tell.
func (p *Pool) Answered(tokens int64, said [2]*Rest, sent, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, cost := range costOf(tokens) {
		p.under[i] -= cost
		if said[i] != nil {
			p.rests[i].hear(said[i], p.line != nil, sent, now)
		}
	}
	p.settle()
	p.move(now)
}

func (p *Pool) settle() {
	tight := false
	for i := range p.rests {
		tight = tight || !p.rests[i].until.IsZero()
	}
	p.tight.Store(tight)
}

// hear takes in what is left. What keys got is counted anew now and then, or who comes late
// would have to get as much first as others did in all the time before. The upstream counts
// its reset from somewhere between sent and now. While requests wait for it, it is kept in
// mind even if there is enough.
func (r *rest) hear(said *Rest, waiting bool, sent, now time.Time) {
	switch tight := !r.until.IsZero() && now.Before(r.until); {
	case said.Limit <= 0 || said.Resets <= 0 || said.Left >= max(said.Limit/easyAbove, 1) && (!tight || !waiting) || !tight && said.Left >= max(said.Limit/tightBelow, 1):
		*r = rest{}
		return
	case !tight:
		*r = rest{since: now, notYet: sent.Add(said.Resets - slack), ends: now.Add(said.Resets), projects: map[string]*asker{}}
	case now.Sub(r.since) > longestTight:
		r.since, r.sent, r.askers, r.projects = now, 0, 0, map[string]*asker{}
	}
	fills := r.rate > 0 || now.Before(r.notYet) && sent.Add(said.Resets).Sub(r.ends) > slack
	if ends := now.Add(said.Resets); ends.Before(r.ends) {
		r.ends = ends
	}
	r.left, r.heard, r.until = max(said.Left, 0), now, now.Add(min(said.Resets, longestTight))
	if r.limit = float64(said.Limit); fills {
		r.rate = (r.limit - float64(r.left)) / float64(said.Resets)
	}
}

// free is what is left by now, less what is on its way.
func (r *rest) free(under int64, now time.Time) int64 {
	left := r.left
	if r.rate > 0 {
		left = int64(min(float64(left)+r.rate*float64(now.Sub(r.heard)), r.limit))
	}
	return left - under
}

// comes is how long it takes until so much more is there.
func (r *rest) comes(more int64, now time.Time) time.Duration {
	whole := r.until.Sub(now)
	if r.rate == 0 {
		return whole
	}
	return max(min(time.Duration(math.Ceil(float64(more)/r.rate)), whole), time.Millisecond)
}

// of is the asker, made where it is new.
func (r *rest) of(who Asker) (project, key *asker) {
	if project = r.projects[who.Project]; project == nil {
		if r.askers >= maxAskers {
			who = Asker{}
		}
		if project = r.projects[who.Project]; project == nil {
			project = &asker{keys: map[string]*asker{}}
			r.projects[who.Project] = project
			r.askers++
		}
	}
	project.weight = max(who.ProjectWeight, 1)
	if key = project.keys[who.Key]; key == nil {
		if r.askers >= maxAskers {
			who.Key, who.KeyWeight = "", 0
		}
		if key = project.keys[who.Key]; key == nil {
			key = &asker{}
			project.keys[who.Key] = key
			r.askers++
		}
	}
	key.weight = max(who.KeyWeight, 1)
	return project, key
}

// allow compares what a key got with its part of what is there by now. under is what is on
// its way.
func (r *rest) allow(who Asker, cost, under int64, now time.Time) (wait time.Duration, ok bool) {
	project, key := r.of(who)
	project.asked += cost
	key.asked += cost
	free := r.free(under, now)
	if free < cost {
		return r.comes(cost-free, now), false
	}
	if len(r.projects) == 1 && len(project.keys) == 1 {
		return 0, true // nobody to leave anything to
	}
	there := r.there(free, now)
	mine := part(key, project.keys, part(project, r.projects, there))
	if key.got+cost <= max(mine, cost) {
		return 0, true
	}
	if mine == 0 && r.rate > 0 {
		return r.grows(float64(there+cost), free, now), false
	}
	if mine == 0 {
		return r.until.Sub(now), false
	}
	return r.grows(float64(there)*float64(key.got+cost)/float64(mine), free, now), false
}

// there is how much of all that was left since may have been used by now.
func (r *rest) there(free int64, now time.Time) int64 {
	all := r.sent + free
	if r.rate > 0 {
		return max(all-int64(r.limit)/reserve, 0)
	}
	come, whole := r.come(now)
	return int64(float64(all) * (float64(come) / float64(whole)))
}

// come is the part of the whole time in which what is left may be used that counts as gone.
func (r *rest) come(now time.Time) (come, whole time.Duration) {
	whole = r.until.Sub(r.since)
	gone := now.Sub(r.since)
	return gone + (whole-gone)/head, whole
}

// grows is how long it takes until there is so much.
func (r *rest) grows(until float64, free int64, now time.Time) time.Duration {
	if r.rate > 0 {
		return r.comes(int64(math.Ceil(until))-r.there(free, now), now)
	}
	come, whole := r.come(now)
	later := time.Duration(float64(whole)*until/float64(r.sent+free)) - come
	return max(min(later*head/(head-1), r.until.Sub(now)), time.Millisecond)
}

// part is what one of several gets of an amount, by their weights: who asks for less than its
// part leaves the rest of it to the others.
func part(mine *asker, of map[string]*asker, amount int64) int64 {
	all := slices.SortedFunc(maps.Values(of), func(a, b *asker) int { return cmp.Compare(a.asked*b.weight, b.asked*a.weight) })
	var weight int64
	for _, a := range all {
		weight += a.weight
	}
	for _, a := range all {
		if a.asked > amount*a.weight/weight {
			return min(mine.asked, amount*mine.weight/weight)
		}
		amount -= a.asked
		weight -= a.weight
	}
	return mine.asked
}
