package fleet

import (
	"github.com/weirhq/weir/controlplane/internal/policy"
)

const (
	// pastReleases and pastBytes bound the policies that a feed keeps to make deltas from.
	pastReleases = 64
	pastBytes    = 16 << 20
	// itemBytes is what a policy keeps for each resource that it shares with others.
	itemBytes = 8
)

// past is a policy that was released, with what it costs to keep it.
type past struct {
	policy *policy.Compiled
	bytes  int
}

// publishRevocations makes a grown set current and wakes every watcher.
func (f *feed) publishRevocations(revoked signedSet) error {
	next, err := newRevocationFrame(revoked.set, revoked.signed)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.revocations
	if r != nil && r.keyID == next.keyID && !newer(next.epoch, next.version, r.epoch, r.version) && !next.adds(r) {
		return nil
	}
	f.revocations = next
	f.wakeAll()
	return nil
}

// publishPolicy makes a newer release current and wakes every watcher.
func (f *feed) publishPolicy(next *published) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.latest != nil {
		if !newer(next.epoch, next.version, f.latest.epoch, f.latest.version) {
			return
		}
		f.remember(f.latest.policy, next.policy)
	}
	f.latest = next
	f.witnesses.know(next.position)
	f.wakeAll()
	f.log.Info("policy released", "epoch", next.epoch, "version", next.version, "resources", next.policy.Count(), "watchers", len(f.watchers))
}

// remember keeps the policy before the next one, and drops the oldest where they are too many.
func (f *feed) remember(before, next *policy.Compiled) {
	f.past = append(f.past, past{policy: before, bytes: before.DeltaFrom(next).Bytes + itemBytes*before.Count()})
	bytes, first := 0, len(f.past)
	for ; first > 0 && len(f.past)-first < pastReleases && bytes+f.past[first-1].bytes <= pastBytes; first-- {
		bytes += f.past[first-1].bytes
	}
	f.past = append([]past(nil), f.past[first:]...)
}

// withRoot returns a released policy that a delta can begin at; nil: it is not known any more.
func (f *feed) withRoot(root string) *policy.Compiled {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.past {
		if string(p.policy.Root) == root {
			return p.policy
		}
	}
	if f.latest != nil && f.latest.root == root {
		return f.latest.policy
	}
	return nil
}

func (f *feed) wakeAll() {
	for w := range f.watchers {
		w.notify()
	}
}

// current are nil where nothing is known yet.
func (f *feed) current() (*frame, *published) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.revocations, f.latest
}

func (f *feed) add(w *watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers[w] = struct{}{}
	w.notify()
}

// remove returns how many are left.
func (f *feed) remove(w *watcher) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.watchers, w)
	return len(f.watchers)
}

func (f *feed) deserted() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.watchers) == 0
}

func (f *feed) collect(all map[string][]*watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		id := w.agent.ID.String()
		all[id] = append(all[id], w)
	}
}
