// Package watched checks what a run's watchers saw of one gateway's policy: that
// nobody ever went back, that all came to the newest, and that everything that was
// applied is the policy of its version. Tests and load tests record into it; it
// calls nobody.
package watched

import (
	"bytes"
	"fmt"
	"sync"
)

// Position is what one watcher held at one instant.
type Position struct {
	Epoch, Version    int64
	Root              []byte
	RevocationVersion int64
}

func (p Position) before(q Position) bool {
	return p.Epoch < q.Epoch || p.Epoch == q.Epoch && p.Version < q.Version
}

// Truth is what the log adds up to at a version, compiled whole.
type Truth interface {
	Root(version int64) ([]byte, error)
	// RevocationVersion of the set of revocations.
	RevocationVersion(version int64) (int64, error)
}

// Run is what a run's watchers saw, and what was committed to the log meanwhile. Its
// zero value is empty.
type Run struct {
	mu       sync.Mutex
	head     int64
	watchers map[string]*watcher
	roots    map[int64][]byte // that were asked for
}

type watcher struct {
	streams int
	seen    []sight
}

type sight struct {
	Position
	stream int
}

// Committed notes that the log has this version.
func (r *Run) Committed(version int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.head = max(r.head, version)
}

// Stream begins another stream of a watcher; saw records every position that it
// brought the watcher to.
func (r *Run) Stream(name string) (saw func(Position)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watchers == nil {
		r.watchers = make(map[string]*watcher)
	}
	if r.watchers[name] == nil {
		r.watchers[name] = &watcher{}
	}
	w := r.watchers[name]
	w.streams++
	stream := w.streams
	return func(p Position) {
		r.mu.Lock()
		defer r.mu.Unlock()
		w.seen = append(w.seen, sight{Position: p, stream: stream})
	}
}

// Caught tells whether every watcher is at the policy and the revocations of the newest version.
func (r *Run) Caught(truth Truth) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, w := range r.watchers {
		if fault, err := r.behind(name, w, truth); err != nil || fault != nil {
			return false, err
		}
	}
	return true, nil
}

// Check returns everything that is wrong with the run. Call it when it is over.
func (r *Run) Check(truth Truth) (faults []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, w := range r.watchers {
		faults = append(faults, w.backwards(name)...)
		for _, s := range w.seen {
			root, err := r.root(s.Version, truth)
			if err != nil {
				return append(faults, err)
			}
			if !bytes.Equal(root, s.Root) {
				faults = append(faults, fmt.Errorf("%s, stream %d: version %d has root %x, the log adds up to %x", name, s.stream, s.Version, s.Root, root))
			}
			if s.Version > r.head {
				faults = append(faults, fmt.Errorf("%s, stream %d: version %d, the log has %d", name, s.stream, s.Version, r.head))
			}
		}
		fault, err := r.behind(name, w, truth)
		if err != nil {
			return append(faults, err)
		}
		if fault != nil {
			faults = append(faults, fault)
		}
	}
	return faults
}

// root asks for each version once.
func (r *Run) root(version int64, truth Truth) ([]byte, error) {
	if root, ok := r.roots[version]; ok {
		return root, nil
	}
	root, err := truth.Root(version)
	if err != nil {
		return nil, fmt.Errorf("root of version %d: %w", version, err)
	}
	if r.roots == nil {
		r.roots = make(map[int64][]byte)
	}
	r.roots[version] = root
	return root, nil
}

func (w *watcher) backwards(name string) (faults []error) {
	for i := 1; i < len(w.seen); i++ {
		was, is := w.seen[i-1], w.seen[i]
		same := !was.before(is.Position) && !is.before(was.Position)
		if is.before(was.Position) || same && !bytes.Equal(is.Root, was.Root) {
			faults = append(faults, fmt.Errorf("%s, stream %d: from epoch %d version %d to epoch %d version %d", name, is.stream, was.Epoch, was.Version, is.Epoch, is.Version))
		}
		if is.RevocationVersion < was.RevocationVersion && is.Epoch == was.Epoch {
			faults = append(faults, fmt.Errorf("%s, stream %d: from revocations %d to %d", name, is.stream, was.RevocationVersion, is.RevocationVersion))
		}
	}
	return faults
}

// behind says how a watcher is not at the newest version; nil: it is.
func (r *Run) behind(name string, w *watcher, truth Truth) (fault, err error) {
	root, err := r.root(r.head, truth)
	if err != nil {
		return nil, err
	}
	revocations, err := truth.RevocationVersion(r.head)
	if err != nil {
		return nil, err
	}
	var last Position
	if len(w.seen) > 0 {
		last = w.seen[len(w.seen)-1].Position
	}
	if !bytes.Equal(last.Root, root) || last.RevocationVersion != revocations {
		return fmt.Errorf("%s ends at version %d with root %x and revocations %d; the log has version %d, root %x, revocations %d",
			name, last.Version, last.Root, last.RevocationVersion, r.head, root, revocations), nil
	}
	return nil, nil
}
