package secret

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// recheck is how often sources are looked at.
	recheck = time.Second
	// patience is how long a source may take to answer. A request waits for it at
	// most once: the first that needs a reference nobody looked at before.
	patience = 2 * time.Second
)

// ErrUnavailable: the reference has no value that may be used.
var ErrUnavailable = errors.New("credential unavailable")

var errSlow = fmt.Errorf("its source does not answer within %v", patience)

// Resolver resolves references. It is safe for concurrent use. Sources are looked at
// in the background (Run): a request finds what is there by a look-up without a lock
// or a system call.
type Resolver struct {
	lookup  func(string) (string, bool)
	log     *slog.Logger
	entries sync.Map     // reference → *entry
	maxAge  atomic.Int64 // of a value whose source went away, ns; 0: for ever
}

// NewResolver makes a resolver of the process environment and its files. It logs when
// a source fails, and when it does not any more.
func NewResolver(log *slog.Logger) *Resolver { return &Resolver{lookup: os.LookupEnv, log: log} }

// Run looks at every source once a second until ctx ends. A source that hangs keeps
// its own look waiting and no other; such a look is left to itself at the end.
func (r *Resolver) Run(ctx context.Context) {
	every := time.NewTicker(recheck)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		for _, e := range r.entries.Range {
			e.(*entry).begin(r)
		}
	}
}

// Prepare begins to look at what a policy refers to, and forgets what the policy
// before did. A value whose source went away is used for maxAge; 0: for ever.
func (r *Resolver) Prepare(references []string, maxAge time.Duration) {
	r.maxAge.Store(int64(maxAge))
	wanted := make(map[string]bool, len(references))
	for _, reference := range references {
		wanted[reference] = true
		r.entry(reference)
	}
	for reference := range r.entries.Range {
		if !wanted[reference.(string)] {
			r.entries.Delete(reference)
		}
	}
}

// Resolve returns the value of an env:// or file:/// reference as it was a second ago
// at most. When the source goes away the last value stays, up to the age that Prepare
// was told.
func (r *Resolver) Resolve(reference string) (Value, error) {
	value, err := r.entry(reference).settled(r).result(time.Duration(r.maxAge.Load()))
	if err != nil {
		return Value{}, fmt.Errorf("%w: %s: %w", ErrUnavailable, reference, err)
	}
	return value, nil
}

// entry is found, or made and looked at for the first time.
func (r *Resolver) entry(reference string) *entry {
	if found, ok := r.entries.Load(reference); ok {
		return found.(*entry)
	}
	found, loaded := r.entries.LoadOrStore(reference, &entry{reference: reference, made: time.Now(), first: make(chan struct{})})
	e := found.(*entry)
	if !loaded {
		e.begin(r)
	}
	return e
}

// Status is how a reference does.
type Status struct {
	// Value that is used; empty: none.
	Value Value
	// Err is why there is none, or why the one that is used is old; nil: it is what
	// its source has.
	Err error
	// Since when Err is so; zero where Err is nil.
	Since time.Time
}

// Status of a reference that was prepared.
func (r *Resolver) Status(reference string) Status {
	s := r.entry(reference).settled(r)
	value, err := s.result(time.Duration(r.maxAge.Load()))
	return Status{Value: value, Err: cmp.Or(err, s.err), Since: s.since}
}
