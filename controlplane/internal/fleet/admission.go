package fleet

import (
	"slices"
	"sync"
	"time"
)

// admission bounds the bytes of the snapshots that are under way, and lets others
// begin in the order in which they came: first those of agents that serve nothing,
// for the others serve on with what they have. See docs/decisions/008.
type admission struct {
	most    int64
	longest time.Duration

	mu       sync.Mutex
	underway int64
	first    []*ticket
	others   []*ticket
}

// ticket is a snapshot that waits, or is under way.
type ticket struct {
	admission *admission
	bytes     int64
	ready     chan struct{} // closed when it may begin
	expiry    *time.Timer
	left      bool
}

// newAdmission counts a snapshot for the longest time at most: one that an agent reads slower
// than that costs little, and would keep others out.
func newAdmission(most int64, longest time.Duration) *admission {
	return &admission{most: most, longest: longest}
}

// enter returns a ticket that must leave.
func (a *admission) enter(bytes int64, serves bool) *ticket {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := &ticket{admission: a, bytes: bytes, ready: make(chan struct{})}
	if serves {
		a.others = append(a.others, t)
	} else {
		a.first = append(a.first, t)
	}
	a.admit()
	return t
}

// admit lets begin what there is room for; one that is larger than all room goes alone.
func (a *admission) admit() {
	for {
		queue := &a.first
		if len(*queue) == 0 {
			queue = &a.others
		}
		if len(*queue) == 0 {
			return
		}
		next := (*queue)[0]
		if a.underway > 0 && a.underway+next.bytes > a.most {
			return
		}
		*queue = (*queue)[1:]
		a.underway += next.bytes
		next.expiry = time.AfterFunc(a.longest, next.leave)
		close(next.ready)
	}
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
	if t.admitted() {
		t.expiry.Stop()
		a.underway -= t.bytes
	} else {
		is := func(other *ticket) bool { return other == t }
		a.first, a.others = slices.DeleteFunc(a.first, is), slices.DeleteFunc(a.others, is)
	}
	a.admit()
}
