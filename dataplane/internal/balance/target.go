package balance

import (
	"hash/fnv"
	"math"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// Targets is what the agent knows of all targets that it ever tried, across policies: by
// provider and model, so that routes share it. Looking one up takes no lock.
type Targets struct {
	began time.Time
	draw  func(n int64) int64
	all   sync.Map // unique.Handle[snapshot.Upstream] → *Target
}

// NewTargets knows nothing yet. Times are counted from now; draw gives random numbers from
// 0 to n-1.
func NewTargets(now time.Time, draw func(n int64) int64) *Targets {
	return &Targets{began: now, draw: draw}
}

// Of is a target's state.
func (t *Targets) Of(target *snapshot.Target) *Target {
	if found, ok := t.all.Load(target.Upstream); ok {
		return found.(*Target)
	}
	found, _ := t.all.LoadOrStore(target.Upstream, newTarget(t, target.Upstream))
	return found.(*Target)
}

// Find is a target's state; nil: it was never asked for.
func (t *Targets) Find(upstream unique.Handle[snapshot.Upstream]) *Target {
	found, ok := t.all.Load(upstream)
	if !ok {
		return nil
	}
	return found.(*Target)
}

// remembered is for how long a target is known that no policy names and nobody asks.
const remembered = time.Hour

// Forget drops those of the targets that were not asked for long. A request under way keeps
// what it has.
func (t *Targets) Forget(these func(unique.Handle[snapshot.Upstream]) bool, now time.Time) {
	at := t.since(now)
	for key, found := range t.all.Range {
		target := found.(*Target)
		if these(key.(unique.Handle[snapshot.Upstream])) && target.inFlight.Load() == 0 && at-target.asked.Load() > int64(remembered) {
			t.all.Delete(key)
		}
	}
}

// Target is what the agent knows of one upstream model. What choosing reads of it takes no
// lock; what is learned takes the target's own, once when an attempt ends.
type Target struct {
	// Budget bounds how often it is tried again.
	Budget Budget
	pace   atomic.Pointer[Pace] // nil until the target is hedged
	pool   Pool

	targets *Targets
	// seed tells targets apart that requests stick to; it is the same in all agents.
	seed uint64
	// tried is how many attempts began, asked when the last one did.
	tried, asked atomic.Int64
	inFlight     atomic.Int64
	// streams and wholes wait for content, in answers that are streams and that are none.
	streams, wholes waiting

	mu sync.Mutex
	// first is the time to first content and token that of a token after it, in
	// nanoseconds; output is the tokens of an answer, failing the share of attempts that
	// failed.
	first, token, output, failing average
	breaker                       breaker
}

func newTarget(of *Targets, upstream unique.Handle[snapshot.Upstream]) *Target {
	name := fnv.New64a()
	_, _ = name.Write([]byte(upstream.Value().ProviderID + "\x00" + upstream.Value().Model)) // never fails
	t := &Target{targets: of, seed: mix(name.Sum64())}
	t.Budget.level.Store(burst)
	t.streams.since.Store(nobody)
	t.wholes.since.Store(nobody)
	return t
}

// since is a time as targets count it: the clock may be set, and that is not time gone by.
func (t *Targets) since(now time.Time) int64 { return int64(now.Sub(t.began)) }

// nobody waits since the last content came.
const nobody = math.MinInt64

// waiting counts requests that wait for content, and tells for how long none came.
type waiting struct {
	count atomic.Int64
	// since is when the first request began after the last content came: those before it
	// may be stuck for ever, and say nothing of how the target does now.
	since atomic.Int64
}

func (w *waiting) begin(now int64) {
	w.count.Add(1)
	w.since.CompareAndSwap(nobody, now)
}

// heard ends the waiting of one request by content.
func (w *waiting) heard() {
	w.since.Store(nobody)
	w.count.Add(-1)
}

// left ends the waiting of one request that got none.
func (w *waiting) left() {
	if w.count.Add(-1) == 0 {
		w.since.Store(nobody)
	}
}

// none tells whether no content came since a request began that waits for some.
func (w *waiting) none(begun int64) bool {
	since := w.since.Load()
	return since != nobody && since <= begun
}

// silence is for how long nothing came of what is waited for: the upstream takes at least
// so long now.
func (w *waiting) silence(now int64) float64 {
	since := w.since.Load()
	if since == nobody {
		return 0
	}
	return float64(max(0, now-since))
}
