package seal

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	// KeyBytes is the length of a public and of a private key.
	KeyBytes         = 32
	fingerprintBytes = 16
)

// ErrKey means bytes that are no X25519 key, or a public one that hides nothing (of
// low order, RFC 7748 section 6.1).
var ErrKey = errors.New("not an X25519 key of 32 bytes that can be sealed for")

// PublicKey is what credentials are sealed for; it is no secret. The zero value is
// no key.
type PublicKey struct {
	key   hpke.PublicKey
	bytes [KeyBytes]byte
}

// PrivateKey opens. Whatever prints it gets "[redacted]".
type PrivateKey struct {
	key hpke.PrivateKey
}

// Fingerprint names a public key: the first 16 bytes of its SHA-256.
type Fingerprint [fingerprintBytes]byte

// GenerateKey makes a key of 32 random bytes.
func GenerateKey() (PrivateKey, error) {
	key, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	if err != nil {
		return PrivateKey{}, fmt.Errorf("make a key: %w", err)
	}
	return PrivateKey{key}, nil
}

// ParsePrivateKey takes the 32 bytes of Bytes.
func ParsePrivateKey(b []byte) (PrivateKey, error) {
	if len(b) != KeyBytes || bytes.Equal(b, make([]byte, KeyBytes)) {
		return PrivateKey{}, ErrKey
	}
	key, err := hpke.DHKEM(ecdh.X25519()).NewPrivateKey(b)
	if err != nil {
		return PrivateKey{}, ErrKey
	}
	return PrivateKey{key}, nil
}

// ParsePublicKey takes 32 bytes, the raw form of RFC 7748.
func ParsePublicKey(b []byte) (PublicKey, error) {
	if len(b) != KeyBytes {
		return PublicKey{}, ErrKey
	}
	point, err := ecdh.X25519().NewPublicKey(b)
	if err != nil || lowOrder(point) {
		return PublicKey{}, ErrKey
	}
	key, err := hpke.NewDHKEMPublicKey(point)
	if err != nil {
		return PublicKey{}, ErrKey
	}
	return PublicKey{key, [KeyBytes]byte(b)}, nil
}

// lowOrder points give the same secret, all zeros, with every private key.
func lowOrder(point *ecdh.PublicKey) bool {
	some, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{1}, KeyBytes))
	if err != nil {
		return true
	}
	_, err = some.ECDH(point)
	return err != nil
}

// Public is the half that credentials are sealed for.
func (k PrivateKey) Public() PublicKey {
	if k.key == nil {
		return PublicKey{}
	}
	public := k.key.PublicKey()
	return PublicKey{public, [KeyBytes]byte(public.Bytes())}
}

// Bytes is the key itself, for the file that keeps it and nothing else.
func (k PrivateKey) Bytes() ([]byte, error) {
	if k.key == nil {
		return nil, ErrKey
	}
	return k.key.Bytes()
}

// Format hides the key from every verb of fmt.
func (PrivateKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// MarshalText hides the key from encoders.
func (PrivateKey) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// Bytes is the key's raw form, 32 bytes.
func (p PublicKey) Bytes() []byte { return p.bytes[:] }

// Fingerprint names the key.
func (p PublicKey) Fingerprint() Fingerprint {
	sum := sha256.Sum256(p.bytes[:])
	return Fingerprint(sum[:fingerprintBytes])
}

// String is eight groups of four hexadecimal digits, which people compare:
// "1f0e 9a3b …".
func (f Fingerprint) String() string {
	digits := hex.EncodeToString(f[:])
	groups := make([]string, 0, len(digits)/4)
	for i := 0; i < len(digits); i += 4 {
		groups = append(groups, digits[i:i+4])
	}
	return strings.Join(groups, " ")
}

// ParseFingerprint reads what String writes, with spaces or without.
func ParseFingerprint(text string) (Fingerprint, error) {
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(b) != fingerprintBytes {
		return Fingerprint{}, fmt.Errorf("a fingerprint is %d hexadecimal digits", 2*fingerprintBytes)
	}
	return Fingerprint(b), nil
}
