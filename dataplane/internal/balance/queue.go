package balance

import (
	"maps"
	"slices"
)

// finest is how a cost is divided by a weight: largest weights have whole parts.
const finest = 100

// queue is a part of a line: of a class its projects, of a project its keys, of a key the
// requests that wait. Parts are served by start-time fair queueing (Goyal, Vin, Cheng 1996):
// the one whose next request starts first in virtual time, in which what costs so much takes
// the longer the less weight the part has.
type queue struct {
	of     *queue // nil: a class
	name   string
	weight int64
	parts  map[string]*queue
	turns  []*Turn

	count  int
	cost   [pooled]int64
	weighs int64
	// start and finish are of the next request and of the last that was served, in the time
	// that virtual is of the queue it is in.
	start, finish, virtual int64
}

type class struct {
	queue
	// owed is what was served above it while somebody waited in it, less spared times what was
	// served for that.
	owed int64
	// lacks is what the last one would have taken that waited in vain, or could not wait for so
	// long, where nobody waits: so much may still be owed, or who comes again never had its turn.
	lacks int64
}

func (l *line) add(p *Pool, w Wish) *Turn {
	t := &Turn{pool: p, who: w.Asker, class: &l.classes[w.Class], cost: costOf(w.Tokens), ready: make(chan struct{})}
	for i, c := range t.cost {
		if r := &p.rests[i]; !r.until.IsZero() {
			t.weighs = max(t.weighs, int64(float64(c)*1e9/r.limit))
		}
	}
	t.weighs = max(t.weighs, 1)
	project := t.class.part(w.Project, w.ProjectWeight)
	t.in = project.part(w.Key, w.KeyWeight)
	t.in.turns = append(t.in.turns, t)
	for q := t.in; q != nil; q = q.of {
		if q.count == 0 && q.of != nil {
			q.start = max(q.of.virtual, q.finish)
		}
		q.grow(t, 1)
	}
	l.count++
	return t
}

func (q *queue) part(name string, weight int64) *queue {
	part := q.parts[name]
	if part == nil {
		part = &queue{of: q, name: name, start: q.virtual}
		if q.parts == nil {
			q.parts = map[string]*queue{}
		}
		q.parts[name] = part
	}
	part.weight = max(weight, 1)
	return part
}

// grow counts a request in, or out (-1).
func (q *queue) grow(t *Turn, by int64) {
	q.count += int(by)
	q.weighs += by * t.weighs
	for i, c := range t.cost {
		q.cost[i] += by * c
	}
}

// next is whose turn is next. Somebody waits.
func (l *line) next() *Turn {
	for i := classCount - 1; i > 0; i-- {
		if t := l.classes[i-1].first(); t != nil && l.classes[i-1].owed >= t.weighs*spared {
			return t
		}
	}
	for i := classCount - 1; i > 0; i-- {
		if t := l.classes[i].first(); t != nil {
			return t
		}
	}
	return l.classes[0].first()
}

// first is the next of a part; nil: nobody waits in it.
func (q *queue) first() *Turn {
	for q.parts != nil {
		var best *queue
		for _, part := range q.parts {
			if part.count > 0 && (best == nil || part.start < best.start || part.start == best.start && part.name < best.name) {
				best = part
			}
		}
		if best == nil {
			return nil
		}
		q = best
	}
	if len(q.turns) == 0 {
		return nil
	}
	return q.turns[0]
}

// serve takes the one out whose turn is next, and has those below it be owed a part.
func (l *line) serve(t *Turn) {
	t.class.owed = max(t.class.owed-t.weighs*spared, 0)
	for i := range l.classes {
		if below := &l.classes[i]; below == t.class {
			break
		} else if below.count > 0 {
			below.owed += t.weighs
		} else {
			below.owed = min(below.owed+t.weighs, below.lacks*spared)
		}
	}
	for q := t.in; q.of != nil; q = q.of {
		q.of.virtual = max(q.of.virtual, q.start)
		q.finish = q.start + t.weighs*finest/q.weight
		q.start = q.finish
		maps.DeleteFunc(q.of.parts, func(_ string, idle *queue) bool { return idle.count == 0 && idle.finish <= q.of.virtual })
	}
	l.remove(t)
}

// remove takes one out. A part that had more than others did is kept in mind.
func (l *line) remove(t *Turn) {
	t.in.turns = slices.DeleteFunc(t.in.turns, func(other *Turn) bool { return other == t })
	for q := t.in; q != nil; q = q.of {
		q.grow(t, -1)
		if q.of != nil && q.count == 0 && q.finish <= q.of.virtual {
			delete(q.of.parts, q.name)
		}
	}
	if c := t.class; c.count == 0 && t.state == waits {
		*c = class{}
	} else if c.count == 0 {
		*c = class{owed: min(c.owed, t.weighs*spared), lacks: t.weighs}
	}
	l.count--
}

// worst is the one that has the least right to a place in a line of so many: the last of the
// part that has the most for its weight, of the lowest class that has more than is spared for
// it.
func (l *line) worst(most int) *Turn {
	var of *class
	for i := range l.classes {
		if c := &l.classes[i]; c.count > max(most/spared, 1) {
			of = c
			break
		} else if of == nil && c.count > 0 {
			of = c
		}
	}
	q := &of.queue
	for q.parts != nil {
		var worst *queue
		for _, part := range q.parts {
			if part.count > 0 && (worst == nil || part.more(worst)) {
				worst = part
			}
		}
		q = worst
	}
	return q.turns[len(q.turns)-1]
}

// more tells whether a part has more in line for its weight than another.
func (q *queue) more(than *queue) bool {
	mine, other := int64(q.count)*than.weight, int64(than.count)*q.weight
	return mine > other || mine == other && q.name > than.name
}

// before is what is served before a request's turn, if nobody else comes.
func (l *line) before(t *Turn) (cost [pooled]int64) {
	var all [pooled]float64
	weighs := 0.0
	for _, ahead := range t.in.turns {
		for i, c := range ahead.cost {
			all[i] += float64(c)
		}
		weighs += float64(ahead.weighs)
		if ahead == t {
			break
		}
	}
	add := func(q *queue, most float64) {
		share := min(1, most/float64(q.weighs))
		for i, c := range q.cost {
			all[i] += share * float64(c)
		}
		weighs += share * float64(q.weighs)
	}
	for q := t.in; q.of != nil; q = q.of {
		mine := weighs / float64(q.weight)
		for _, beside := range q.of.parts {
			if beside != q && beside.count > 0 {
				add(beside, mine*float64(beside.weight))
			}
		}
	}
	mine, above := weighs, false
	for i := range l.classes {
		switch c := &l.classes[i]; {
		case c == t.class:
			above = true
		case c.count == 0:
		case above:
			add(&c.queue, max(mine*spared-float64(t.class.owed), 0))
		default:
			add(&c.queue, mine/spared)
		}
	}
	for i := range cost {
		cost[i] = max(int64(all[i])-t.cost[i], 0)
	}
	return cost
}
