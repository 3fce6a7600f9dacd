package secret

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// recheck is how long a value is used before its source is looked at again.
	recheck = time.Second
	// maxBytes bounds a credential: the largest header common servers accept.
	maxBytes = 8 << 10
)

// ErrUnavailable: the reference has no value and never had one.
var ErrUnavailable = errors.New("credential unavailable")

// Resolver resolves references. It is safe for concurrent use; a look-up of a
// known value takes no lock.
type Resolver struct {
	lookup  func(string) (string, bool)
	now     func() time.Time
	entries sync.Map // reference → *entry
}

type entry struct {
	refresh sync.Mutex
	state   atomic.Pointer[state]
}

// state is what one look at the source gave. A value that was there once
// outlives its source; err then says why it is old.
type state struct {
	value   Value
	err     error
	stamp   stamp
	checked time.Time
}

type stamp struct {
	modified time.Time
	size     int64
}

// NewResolver makes a resolver of the process environment and its files.
func NewResolver() *Resolver {
	return &Resolver{lookup: os.LookupEnv, now: time.Now}
}

// Resolve returns the current value of an env:// or file:/// reference. Sources
// are looked at again after a second; a file is read again when its time or size
// changed; when the source goes away the last value stays.
func (r *Resolver) Resolve(reference string) (Value, error) {
	found, ok := r.entries.Load(reference)
	if !ok {
		found, _ = r.entries.LoadOrStore(reference, &entry{})
	}
	return found.(*entry).current(r, reference)
}

func (e *entry) current(r *Resolver, reference string) (Value, error) {
	now := r.now()
	was := e.state.Load()
	if was == nil {
		e.refresh.Lock()
		defer e.refresh.Unlock()
		if was = e.state.Load(); was == nil {
			was = r.look(reference, &state{}, now)
			e.state.Store(was)
		}
		return was.result()
	}
	if now.Sub(was.checked) >= recheck && e.refresh.TryLock() {
		defer e.refresh.Unlock()
		was = r.look(reference, was, now)
		e.state.Store(was)
	}
	return was.result()
}

func (s *state) result() (Value, error) {
	if s.value.text != "" {
		return s.value, nil
	}
	return Value{}, s.err
}

func (r *Resolver) look(reference string, was *state, now time.Time) *state {
	text, seen, err := r.read(reference, was)
	if err != nil {
		err = fmt.Errorf("%w: %s: %w", ErrUnavailable, reference, err)
		return &state{value: was.value, err: err, checked: now}
	}
	return &state{value: Value{text: text}, stamp: seen, checked: now}
}

func (r *Resolver) read(reference string, was *state) (string, stamp, error) {
	if name, ok := strings.CutPrefix(reference, "env://"); ok {
		text, set := r.lookup(name)
		if !set {
			return "", stamp{}, errors.New("the variable is not set")
		}
		text, err := Credential(text)
		return text, stamp{}, err
	}
	if path, ok := strings.CutPrefix(reference, "file://"); ok && strings.HasPrefix(path, "/") {
		return readFile(path, was)
	}
	return "", stamp{}, errors.New("a reference is env://NAME or file:///path")
}

func readFile(path string, was *state) (string, stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", stamp{}, err
	}
	seen := stamp{modified: info.ModTime(), size: info.Size()}
	if was.value.text != "" && was.err == nil && seen == was.stamp {
		return was.value.text, seen, nil
	}
	if !info.Mode().IsRegular() || seen.size > maxBytes {
		return "", stamp{}, fmt.Errorf("not a regular file of at most %d bytes", maxBytes)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", stamp{}, err
	}
	text, err := Credential(string(content))
	return text, seen, err
}

// Credential trims what editors and mounts add and refuses what no header can
// carry. Its errors never quote the text.
func Credential(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", errors.New("the value is empty")
	}
	for _, c := range []byte(text) {
		if c < ' ' || c == 0x7f {
			return "", errors.New("the value has control characters")
		}
	}
	return text, nil
}
