package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind of a fault.
type Kind string

// Kinds of faults.
const (
	kill Kind = "kill"   // kill -9, and a start some time later
	stop Kind = "stop"   // SIGSTOP past every lease, then SIGCONT
	cut  Kind = "cut"    // a link is reset, stalls, or loses answers
	full Kind = "enospc" // no room is left on a disk
)

func (c Config) has(k Kind) bool { return slices.Contains(c.Faults, k) }

// Leases that a stop has to outlast: an ingest's of its partitions (6 s), of a block in
// ClickHouse (10 s), the agents' watchdog is longer (45 s) and met in long runs only.
const (
	stopsFor     = 11 * time.Second // at least
	stopsForMore = 9 * time.Second
)

// fault is one that was made up: what happens to whom, for how long.
type fault struct {
	kind Kind
	// on is who it happens to; no two of a kind happen to one at once.
	on  string
	how string
	// lasts until undo; a process that was killed stays dead so long.
	lasts  time.Duration
	do     func() bool // false: it could not happen
	undo   func()
	begun  time.Time
	healed time.Time
}

func (f *fault) String() string {
	text := fmt.Sprintf("%-6s %s for %s", f.kind, f.on, f.lasts.Round(100*time.Millisecond))
	if f.how != "" {
		text += ": " + f.how
	}
	return text
}

// draw makes up a fault.
func (m *monkeys) draw(r *rand.Rand) *fault {
	kinds := m.kinds
	// As many kills as all others together: they are quick.
	k := kinds[r.IntN(len(kinds))]
	if m.config.has(kill) && r.IntN(2) == 0 {
		k = kill
	}
	switch k {
	case stop:
		return stopped(r, one(r, m.world.nodes))
	case cut:
		return broken(r, one(r, m.world.links))
	case full:
		return filled(r, one(r, m.world.withDisk()))
	}
	return killed(r, one(r, m.world.nodes))
}

func one[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func killed(r *rand.Rand, n *node) *fault {
	f := &fault{kind: kill, on: n.name, lasts: time.Duration(r.IntN(1500)) * time.Millisecond}
	f.do = func() bool { n.hold(true); return n.kill() }
	f.undo = func() { n.hold(false) }
	return f
}

func stopped(r *rand.Rand, n *node) *fault {
	f := &fault{kind: stop, on: n.name, lasts: stopsFor + time.Duration(r.Int64N(int64(stopsForMore)))}
	thaw := func() {}
	f.do = func() (done bool) { thaw, done = n.freeze(); return done }
	f.undo = func() { thaw() }
	return f
}

func broken(r *rand.Rand, l *link) *fault {
	f := &fault{kind: cut, on: "the link of " + l.name}
	to := state(1 + r.IntN(3))
	f.how = map[state]string{cutOff: "reset", stalled: "stalled", muted: "answers lost"}[to]
	f.lasts = time.Duration(200+r.IntN(5000)) * time.Millisecond
	if to == stalled && r.IntN(2) == 0 {
		f.lasts += stopsFor // what was under way comes late
	}
	f.do = func() bool { l.set(to); return true }
	f.undo = func() { l.set(open) }
	return f
}

func filled(r *rand.Rand, n *node) *fault {
	f := &fault{kind: full, on: "the disk of " + n.name, lasts: time.Duration(1000+r.IntN(7000)) * time.Millisecond}
	f.do = func() bool { return n.disk.fill() == nil }
	f.undo = func() { _ = n.disk.free() } // the end of the run frees all, and tells
	return f
}

func (w *world) withDisk() (all []*node) {
	for _, n := range w.nodes {
		if n.disk != nil {
			all = append(all, n)
		}
	}
	return all
}

// hold keeps a node from being started, or lets it.
func (n *node) hold(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.held = on
}

// last is when the run has seen enough.
func (m *monkeys) last(ctx context.Context, began time.Time) bool {
	if ctx.Err() != nil {
		return true
	}
	if m.config.Kills > 0 {
		return m.count(kill) >= m.config.Kills
	}
	return time.Since(began) >= m.config.For
}
