// Package gatewaykey owns the private keys of the agent's gateway: the file that
// keeps them, and the credentials that they opened. It does not decide what a
// credential must be sealed for (snapshot does) nor where it may go.
package gatewaykey

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/seal"
)

// recheck is how long keys are used before their file is looked at again.
const recheck = time.Second

// Opener opens sealed credentials and keeps what the policy needs of them. It is
// safe for concurrent use; a look-up of an opened one takes no lock.
type Opener struct {
	path  string
	log   *slog.Logger
	now   func() time.Time
	mu    sync.Mutex // one changes the state
	state atomic.Pointer[state]
}

// state is one look at the file, and what its keys opened. It never changes. Keys
// that were there once outlive their file; err then says why they are old.
type state struct {
	keys    []seal.PrivateKey
	err     error
	stamp   stamp
	checked time.Time
	opened  map[snapshot.Sealed]result
}

type stamp struct {
	modified time.Time
	size     int64
	mode     fs.FileMode
}

type result struct {
	value secret.Value
	err   error
}

// NewOpener reads the file; an empty path means that the agent has no keys. What is
// wrong with it is logged, and said of every credential that needs a key: the agent
// serves what needs none.
func NewOpener(path string, log *slog.Logger) *Opener {
	o := &Opener{path: path, log: log, now: time.Now}
	o.state.Store(o.look(&state{}))
	return o
}

// Open returns a credential, or why there is none; the error is a
// secret.ErrUnavailable. The file is looked at again after a second, and read again
// when its time, size or mode changed.
func (o *Opener) Open(s snapshot.Sealed) (secret.Value, error) {
	current := o.state.Load()
	if o.now().Sub(current.checked) >= recheck && o.mu.TryLock() {
		current = o.look(o.state.Load())
		o.state.Store(current)
		o.mu.Unlock()
	}
	found, ok := current.opened[s]
	if !ok {
		found = o.add(s)
	}
	return found.value, found.err
}

// Fault is why the keys in use may not be those of the file any more; nil: they are.
func (o *Opener) Fault() error {
	if current := o.state.Load(); len(current.keys) > 0 {
		return current.err
	}
	return nil
}

// First is the first private key of the file, 32 bytes; false: there is none.
func (o *Opener) First() ([]byte, bool) {
	current := o.state.Load()
	if len(current.keys) == 0 {
		return nil, false
	}
	raw, err := current.keys[0].Bytes()
	return raw, err == nil
}

// Prepare opens what a policy carries, logs what does not open, and forgets what the
// policy before had.
func (o *Opener) Prepare(all []snapshot.Sealed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	current := o.look(o.state.Load())
	opened := make(map[snapshot.Sealed]result, len(all))
	for _, s := range all {
		found, ok := current.opened[s]
		if !ok {
			found = o.open(current, s)
		}
		if opened[s] = found; found.err != nil {
			o.log.Error("a sealed credential does not open; requests to its provider are refused", "provider_id", s.Binding.ProviderID, "error", found.err)
		}
	}
	current.opened = opened
	o.state.Store(current)
}

// add opens what was not prepared.
func (o *Opener) add(s snapshot.Sealed) result {
	o.mu.Lock()
	defer o.mu.Unlock()
	next := *o.state.Load()
	if found, ok := next.opened[s]; ok {
		return found
	}
	found := o.open(&next, s)
	next.opened = maps.Clone(next.opened)
	next.opened[s] = found
	o.state.Store(&next)
	return found
}

// look is the state after a look at the file.
func (o *Opener) look(was *state) *state {
	next := &state{keys: was.keys, checked: o.now(), opened: map[snapshot.Sealed]result{}}
	if next.stamp, next.err = o.seen(); next.err == nil {
		if was.err == nil && next.stamp == was.stamp {
			next.opened = was.opened
			return next
		}
		var keys []seal.PrivateKey
		if keys, next.err = Read(o.path); next.err == nil {
			next.keys = keys
			o.log.Info("gateway keys are read", "path", o.path, "fingerprints", next.fingerprints())
		}
	}
	if next.err != nil && o.path != "" && (was.err == nil || was.err.Error() != next.err.Error()) {
		o.log.Error("gateway keys can't be read; what was read before stays in use", "path", o.path, "error", next.err)
	}
	return next
}

func (o *Opener) seen() (stamp, error) {
	if o.path == "" {
		return stamp{}, errors.New("WEIR_GATEWAY_KEY_FILE is not set")
	}
	info, err := os.Stat(o.path)
	if err != nil {
		return stamp{}, fmt.Errorf("gateway key file: %w", err)
	}
	return stamp{info.ModTime(), info.Size(), info.Mode()}, nil
}

func (o *Opener) open(with *state, s snapshot.Sealed) result {
	text, err := with.text(s)
	if err != nil {
		return result{err: fmt.Errorf("%w: %w", secret.ErrUnavailable, err)}
	}
	return result{value: secret.NewValue(text)}
}

func (s *state) text(sealed snapshot.Sealed) (string, error) {
	recipient, err := seal.Recipient([]byte(sealed.Bytes))
	if err != nil {
		return "", err
	}
	for _, key := range s.keys {
		if key.Public().Fingerprint() != recipient {
			continue
		}
		opened, err := seal.Open(key, sealed.Binding, []byte(sealed.Bytes))
		if err != nil {
			b := sealed.Binding
			return "", fmt.Errorf("%w: it does not open for organization %s, gateway %s, provider %s, %s, version %d",
				err, b.OrganizationID, b.GatewayID, b.ProviderID, b.Origin, b.Version)
		}
		return secret.Credential(string(opened))
	}
	if len(s.keys) == 0 {
		return "", fmt.Errorf("it is sealed for the key %s, and this agent has none: %w", recipient, s.err)
	}
	return "", fmt.Errorf("it is sealed for the key %s, and this agent has %s", recipient, strings.Join(s.fingerprints(), ", "))
}

func (s *state) fingerprints() []string {
	texts := make([]string, len(s.keys))
	for i, key := range s.keys {
		texts[i] = key.Public().Fingerprint().String()
	}
	return texts
}
