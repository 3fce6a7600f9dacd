package redact

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"

	"github.com/weirhq/weir/proto/contract/batch"
)

const (
	minKeyBytes = 32
	// keyIDBytes and hashBytes of a hash's two parts, before they are text.
	keyIDBytes = 4
	hashBytes  = 16
)

// Hasher makes hashes of end users that tell nobody without its key more than whether two
// requests are one user's. The key never leaves the agents. It is safe for concurrent use.
type Hasher struct {
	prefix string // "h1.<key>."
	pool   sync.Pool
}

// hashing is what one hash needs.
type hashing struct {
	mac  hash.Hash
	in   [batch.MaxCallerIDBytes]byte
	sum  [sha256.Size]byte
	text [64]byte
}

// NewHasher derives its key from a secret of at least 32 bytes.
func NewHasher(from []byte) (*Hasher, error) {
	if len(from) < minKeyBytes {
		return nil, fmt.Errorf("a key for hashes of end users has at least %d bytes, this one %d", minKeyBytes, len(from))
	}
	key, err := hkdf.Key(sha256.New, from, nil, "weir end user hash v1", sha256.Size)
	if err != nil {
		return nil, err
	}
	id, err := hkdf.Key(sha256.New, from, nil, "weir end user hash v1: key id", keyIDBytes)
	if err != nil {
		return nil, err
	}
	h := &Hasher{prefix: "h1." + hex.EncodeToString(id) + "."}
	h.pool.New = func() any { return &hashing{mac: hmac.New(sha256.New, key)} }
	return h, nil
}

// Of is "h1.<8 hex digits of the key's id>.<22 characters of base64url>": HMAC-SHA256 of at
// most 128 bytes, cut to 128 bits.
func (h *Hasher) Of(user string) string {
	w := h.pool.Get().(*hashing)
	defer h.pool.Put(w)
	w.mac.Reset()
	_, _ = w.mac.Write(w.in[:copy(w.in[:], user)]) // it never fails
	clear(w.in[:])
	sum := w.mac.Sum(w.sum[:0])
	text := append(w.text[:0], h.prefix...)
	return string(base64.RawURLEncoding.AppendEncode(text, sum[:hashBytes]))
}
