package fleet

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// admission bounds the bytes of the snapshots that are under way, and lets others
// begin: next comes the organization with the least under way, so that the crowd of one
// is not the wait of another; of several, and within one, first those of agents that
// serve nothing, for the others serve on with what they have, then in the order in which
// they came. See docs/decisions/008.
type admission struct {
	most    int64
	longest time.Duration

	mu       sync.Mutex
	underway int64
	came     int64 // tickets so far
	lines    map[uuid.UUID]*line
}

// line is what one organization has under way and waiting.
type line struct {
	underway      int64
	first, others []*ticket
}

// ticket is a snapshot that waits, or is under way.
type ticket struct {
	admission    *admission
	organization uuid.UUID
	bytes        int64
	number       int64         // in the order in which they came
	ready        chan struct{} // closed when it may begin
	expiry       *time.Timer
	left         bool
}

// newAdmission counts a snapshot for the longest time at most: one that an agent reads slower
// than that costs little, and would keep others out.
func newAdmission(most int64, longest time.Duration) *admission {
	return &admission{most: most, longest: longest, lines: make(map[uuid.UUID]*line)}
}

// enter returns a ticket that must leave.
func (a *admission) enter(organization uuid.UUID, bytes int64, serves bool) *ticket {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.came++
	t := &ticket{admission: a, organization: organization, bytes: bytes, number: a.came, ready: make(chan struct{})}
	l := a.lines[organization]
	if l == nil {
		l = &line{}
		a.lines[organization] = l
	}
	if serves {
		l.others = append(l.others, t)
	} else {
		l.first = append(l.first, t)
	}
	a.admit()
	return t
}

// admit lets begin what there is room for; one that is larger than all room goes alone.
func (a *admission) admit() {
	for {
		l := a.next()
		if l == nil {
			return
		}
		queue := l.queue()
		next := (*queue)[0]
		if a.underway > 0 && a.underway+next.bytes > a.most {
			return
		}
		*queue = (*queue)[1:]
		a.underway += next.bytes
		l.underway += next.bytes
		next.expiry = time.AfterFunc(a.longest, next.leave)
		close(next.ready)
	}
}

// next is the line whose turn it is; nil: nobody waits.
func (a *admission) next() (next *line) {
	for _, l := range a.lines {
		if len(*l.queue()) > 0 && (next == nil || l.before(next)) {
			next = l
		}
	}
	return next
}

func (l *line) queue() *[]*ticket {
	if len(l.first) > 0 {
		return &l.first
	}
	return &l.others
}

// before tells whether of two lines that wait this one's turn comes first.
func (l *line) before(other *line) bool {
	urgent := func(l *line) int { return min(1, len(l.first)) }
	return cmp.Or(
		cmp.Compare(l.underway, other.underway),
		cmp.Compare(urgent(other), urgent(l)),
		cmp.Compare((*l.queue())[0].number, (*other.queue())[0].number),
	) < 0
}

func (t *ticket) admitted() bool {
	select {
	case <-t.ready:
		return true
	default:
		return false
	}
}

// leave makes room for others; said twice, true once.
func (t *ticket) leave() {
	a := t.admission
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.left {
		return
	}
	t.left = true
	l := a.lines[t.organization]
	if t.admitted() {
		t.expiry.Stop()
		a.underway -= t.bytes
		l.underway -= t.bytes
	} else {
		is := func(other *ticket) bool { return other == t }
		l.first, l.others = slices.DeleteFunc(l.first, is), slices.DeleteFunc(l.others, is)
	}
	if l.underway == 0 && len(*l.queue()) == 0 {
		delete(a.lines, t.organization)
	}
	a.admit()
}
