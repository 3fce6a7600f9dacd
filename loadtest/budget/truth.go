package budget

import (
	"slices"
	"sync"
	"time"
)

// truth is what the providers charged: nobody of Weir had a say in it.
type truth struct {
	mu      sync.Mutex
	charges []charge
	purses  []*purse
}

// charge is of one attempt. Between begun, when its caller asked, and arrived, when it came
// to the provider, it was reserved.
type charge struct {
	key            int
	provider       string
	begun, arrived time.Time
	nano           int64
}

func newTruth() *truth { return &truth{} }

// watch has charges counted by budget.
func (t *truth) watch(purses []*purse) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.purses = append(t.purses, purses...)
}

// charged books one.
func (t *truth) charged(c charge) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.charges = append(t.charges, c)
	for _, p := range t.purses {
		if subject, counts := p.counts(c); counts {
			p.charged[subject] += c.nano
		}
	}
}

// total of a budget and a subject so far, of all windows.
func (t *truth) total(p *purse, subject string) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return p.charged[subject]
}

// subjects of a budget that were charged.
func (t *truth) subjects(p *purse) (all []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range p.charged {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// of are the charges that a budget counts for a subject, in the order in which they began.
func (t *truth) of(p *purse, subject string) (all []charge) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.charges {
		if s, counts := p.counts(c); counts && s == subject {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b charge) int { return a.begun.Compare(b.begun) })
	return all
}

// inside sums what was surely reserved within [from, to).
func inside(all []charge, from, to time.Time) (nano int64) {
	first, _ := slices.BinarySearchFunc(all, from, func(c charge, at time.Time) int { return c.begun.Compare(at) })
	for _, c := range all[first:] {
		if !c.begun.Before(to) {
			break
		}
		if c.arrived.Before(to) {
			nano += c.nano
		}
	}
	return nano
}

// most is the largest sum that the providers charged for any one window of a budget, of
// requests that were surely reserved in it. all are in the order in which they began.
func (w window) most(all []charge) (nano int64) {
	if len(all) == 0 {
		return 0
	}
	first, last := all[0].begun, all[len(all)-1].begun
	switch {
	case w.rolling > 0:
		// Of 60 sub-windows that count together, 59 are whole in any time so long.
		for at := first; !at.After(last); at = at.Add(500 * time.Millisecond) {
			nano = max(nano, inside(all, at, at.Add(w.rolling-w.rolling/60)))
		}
	case w.calendar > 0:
		for at := first.Truncate(w.calendar); !at.After(last); at = at.Add(w.calendar) {
			nano = max(nano, inside(all, at, at.Add(w.calendar)))
		}
	default:
		for _, c := range all {
			nano += c.nano
		}
	}
	return nano
}
