package secret

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// minKeyBytes of a fingerprint key: below it somebody might guess the key, and with it
// values.
const minKeyBytes = 32

// Fingerprinter makes fingerprints of credentials that tell nothing but whether two
// values of one provider are equal, to those without its key. The zero value makes
// none.
type Fingerprinter struct{ key []byte }

// NewFingerprinter derives its key from a secret of at least 32 bytes.
func NewFingerprinter(from []byte) (Fingerprinter, error) {
	if len(from) < minKeyBytes {
		return Fingerprinter{}, fmt.Errorf("a fingerprint key has at least %d bytes, this one %d", minKeyBytes, len(from))
	}
	key, err := hkdf.Key(sha256.New, from, nil, "weir credential fingerprint v1", sha256.Size)
	return Fingerprinter{key: key}, err
}

// Of is 16 bytes in hex; empty without a key or a value. The provider goes in, so that
// nobody learns which of them share an account.
func (f Fingerprinter) Of(providerID string, v Value) string {
	if v.text == "" {
		return ""
	}
	return f.sum("value", providerID, v.text, 16)
}

// KeyID names the key, 8 bytes in hex; empty without one.
func (f Fingerprinter) KeyID() string { return f.sum("key", "", "", 8) }

func (f Fingerprinter) sum(of, providerID, text string, bytes int) string {
	if f.key == nil {
		return ""
	}
	mac := hmac.New(sha256.New, f.key)
	fmt.Fprintf(mac, "%s\x00%d\x00%s%s", of, len(providerID), providerID, text)
	return hex.EncodeToString(mac.Sum(nil)[:bytes])
}
