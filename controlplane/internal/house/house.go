// Package house owns the house keys: they come from a file, never from Postgres,
// and wrap every secret that rests there. Other packages say what a secret is
// bound to, and keep it with the id of the key that wraps it.
package house

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// ErrUnknownKey says that a secret is wrapped by a house key that the file does
// not have.
var ErrUnknownKey = errors.New("wrapped by another house key")

// Keys are the house keys of one file, newest first: the newest wraps, all unwrap.
// The file is read again when that matters, so that a process follows a rotation
// without a restart.
type Keys struct {
	path string
	log  *slog.Logger

	mu   sync.Mutex
	keys []key
}

type key struct {
	id     string
	aead   cipher.AEAD
	secret []byte
}

// Wrapped is a secret at rest.
type Wrapped struct {
	// KeyID names the house key without telling it.
	KeyID string
	Bytes []byte
}

func newKey(secret []byte) (key, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return key{}, fmt.Errorf("use house key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return key{}, fmt.Errorf("use house key: %w", err)
	}
	sum := sha256.Sum256(append([]byte("weir house key id v1\x00"), secret...))
	return key{id: hex.EncodeToString(sum[:8]), aead: aead, secret: secret}, nil
}

// IDs lists the keys of the file, newest first.
func (k *Keys) IDs() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	ids := make([]string, len(k.keys))
	for i, key := range k.keys {
		ids[i] = key.id
	}
	return ids
}

// Derive returns 32 bytes for another purpose, the same in every process that has
// this newest house key. They tell nothing about it or about other purposes.
func (k *Keys) Derive(purpose string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	derived, err := hkdf.Key(sha256.New, k.keys[0].secret, nil, "weir "+purpose, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive key for %s: %w", purpose, err)
	}
	return derived, nil
}

// Wrap encrypts a secret with the newest key, so that it opens for what it is
// bound to only.
func (k *Keys) Wrap(bound, secret []byte) Wrapped {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reload()
	newest := k.keys[0]
	return Wrapped{KeyID: newest.id, Bytes: newest.aead.Seal(nil, nil, secret, bound)}
}

// Unwrap opens what Wrap made; ErrUnknownKey where the file has no such key. The
// error says which file was read.
func (k *Keys) Unwrap(bound []byte, wrapped Wrapped) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.find(wrapped.KeyID)
	if !ok {
		k.reload()
		found, ok = k.find(wrapped.KeyID)
	}
	if !ok {
		return nil, fmt.Errorf("%w: it needs house key %s, and %s has %s; put the file with that key back (see docs/keys.md)",
			ErrUnknownKey, wrapped.KeyID, k.path, k.list())
	}
	secret, err := found.aead.Open(nil, nil, wrapped.Bytes, bound)
	if err != nil {
		return nil, fmt.Errorf("unwrap with house key %s of %s: the stored bytes are damaged or belong elsewhere: %w", found.id, k.path, err)
	}
	return secret, nil
}

func (k *Keys) find(id string) (key, bool) {
	for _, key := range k.keys {
		if key.id == id {
			return key, true
		}
	}
	return key{}, false
}

func (k *Keys) list() string {
	ids := make([]string, len(k.keys))
	for i, key := range k.keys {
		ids[i] = key.id
	}
	return strings.Join(ids, ", ")
}

// reload keeps the keys in memory where the file can't be read now.
func (k *Keys) reload() {
	keys, err := read(k.path)
	if err != nil {
		k.log.Warn("the house key file can't be read again; going on with the keys in memory", "path", k.path, "error", err)
		return
	}
	k.keys = keys
}
