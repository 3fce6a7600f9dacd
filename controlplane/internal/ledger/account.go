package ledger

import (
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/quota"
)

// series is what follows one another in windows: a quota, or one of the subjects that it
// counts apart.
type series struct {
	quota   uuid.UUID
	subject string
}

// accountKey names one window of a series.
type accountKey struct {
	series
	window string
}

// account is what all agents together have of one window.
type account struct {
	accountKey
	span quota.Span
	// amount, carried and room are as they were when something was asked last: what the
	// quota allows in a window, what the window before left of its own, and what may be
	// spent and held in this one.
	amount, carried, room int64
	spent, held, overrun  int64
	// writtenOff is what was freed that nobody settled.
	writtenOff int64
	// holders is how many leases hold something.
	holders int64
	// told is the highest percent of the budget's that was raised of it.
	told int32
	// overran is what was added to overrun in this transaction.
	overran int64
	// rolling: its room is shared with windows before and after it, and may go to those once
	// it was granted here. What counts is rolled, nil where it does not count any more.
	rolling bool
	rolled  *rolled
	stored
}

// stored tells what becomes of a row.
type stored struct {
	// there: the store has it, or will; made: this transaction makes it.
	there, made bool
	// dirty: it is to be written.
	dirty bool
}

// rolled is what was spent in all sub-windows of a rolling window together, and what may be.
type rolled struct{ spent, limit int64 }

// excess is by how much more was spent than may be, in the account or in all that it is a part
// of.
func (a *account) excess() int64 {
	switch {
	case a.rolled != nil:
		return max(0, a.rolled.spent-a.rolled.limit)
	case a.rolling:
		return 0
	}
	return max(0, a.spent-a.room)
}

func (a *account) free() int64 { return max(0, a.room-a.spent-a.held) }

// left is what the window leaves to the next one: of its own amount, not of what was
// carried into it, and nothing of what is held.
func (a *account) left() int64 {
	if !a.there {
		return 0
	}
	return max(0, min(a.amount, add(a.amount, a.carried)-a.spent-a.held))
}

// leaseKey names what one start of an agent has of an account.
type leaseKey struct {
	accountKey
	agent uuid.UUID
	boot  string
}

// totals only grow.
type totals struct{ granted, spent, returned int64 }

// held is what may yet be spent.
func (t totals) held() int64 { return max(0, t.granted-t.spent-t.returned) }

// uncovered is what was spent beyond what was granted and kept.
func (t totals) uncovered() int64 { return max(0, t.spent+t.returned-t.granted) }

// merged has the greater of each total: what is heard twice, late, or not at all changes
// nothing.
func (t totals) merged(u totals) totals {
	return totals{granted: max(t.granted, u.granted), spent: max(t.spent, u.spent), returned: max(t.returned, u.returned)}
}

type lease struct {
	leaseKey
	totals
	// forced: the row must be on disk before the call is answered.
	forced bool
	stored
}

// put gives a lease new totals and the account what follows from them. What was spent
// and is covered neither by the lease nor by what may be spent is overrun.
func (a *account) put(l *lease, next totals) {
	if next == l.totals {
		return
	}
	was, excess := l.totals, a.excess()
	l.totals = next
	a.spent = add(a.spent, next.spent-was.spent)
	if a.rolled != nil {
		a.rolled.spent = add(a.rolled.spent, next.spent-was.spent)
	}
	a.held = add(a.held, next.held()-was.held())
	a.holders += count(next.held() > 0) - count(was.held() > 0)
	over := max(0, next.uncovered()-was.uncovered(), a.excess()-excess)
	a.overrun, a.overran = add(a.overrun, over), add(a.overran, over)
	// What frees something may get lost: it stays held until the agent says it again. What
	// is granted, and what is closed for good, may not.
	l.forced = l.forced || next.granted > was.granted || was.held() > 0 && next.held() == 0
	l.change()
	a.change()
}

// writeOff frees what a lease holds.
func (a *account) writeOff(l *lease) {
	a.writtenOff = add(a.writtenOff, l.held())
	a.put(l, l.merged(totals{returned: l.granted - l.spent}))
}

func (s *stored) change() {
	s.made = s.made || !s.there
	s.there, s.dirty = true, true
}

func count(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// known is what the ledger knows of an agent.
type known struct {
	agent uuid.UUID
	// boot is its newest start; settled the one that said that all before it are settled.
	// ended: the newest that said that it spends nothing more.
	boot, settled, ended string
	// heard last, and booted when its newest start was heard first.
	heard, booted time.Time
	// told and back are the epochs of the restores that it was told of, and that it has
	// called after.
	told, back int64
	forced     bool
	stored
}

// hear notes a call; false: it is of an earlier start.
func (k *known) hear(boot string, now time.Time) bool {
	if boot != k.boot && !newer(boot, k.boot) {
		return false
	}
	if boot != k.boot {
		k.boot, k.booted, k.forced = boot, now, true
		k.change()
	}
	if d := now.Sub(k.heard); d > heardEvery || d < -heardEvery {
		k.heard = now
		k.change()
	}
	return true
}
