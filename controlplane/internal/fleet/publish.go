package fleet

import (
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// publishRevocations makes a grown set current and wakes every watcher.
func (f *feed) publishRevocations(revoked signedSet) error {
	next, err := newRevocationFrame(revoked.set, revoked.signed)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.revocations
	if r != nil && r.keyID == next.keyID && !newer(next.epoch, next.version, r.epoch, r.version) {
		return nil
	}
	f.revocations = next
	f.wakeAll()
	return nil
}

// publishSnapshot makes a newer release current and wakes every watcher.
func (f *feed) publishSnapshot(release Release, resources []*policyv1.Resource, revoked signedSet) error {
	next, err := newSnapshotFrame(release, resources, revoked)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.snapshot; s != nil && !newer(next.epoch, next.version, s.epoch, s.version) {
		return nil
	}
	f.snapshot = next
	f.wakeAll()
	f.log.Info("policy released", "epoch", next.epoch, "version", next.version, "resources", len(resources), "watchers", len(f.watchers))
	return nil
}

func (f *feed) wakeAll() {
	for w := range f.watchers {
		w.notify()
	}
}

func (f *feed) current() (*frame, *snapshotFrame) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.revocations, f.snapshot
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

func (f *feed) collect(all map[string][]*watcher) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		id := w.agent.ID.String()
		all[id] = append(all[id], w)
	}
}
