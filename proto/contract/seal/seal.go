// Package seal encrypts a provider's credential for the agents of one gateway, so
// that whoever carries it can't open it: HPKE (RFC 9180) in base mode with
// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, all of which WebCrypto
// has, too. It does no I/O and keeps no keys.
//
// A sealed credential is
//
//	format 0x01 | fingerprint of the key, 16 bytes | enc, 32 bytes | ciphertext
//
// with the info "weir sealed credential v1\x00" and the Binding as additional data.
// What is encrypted is the credential's length as a big-endian uint16, the
// credential, and zeros up to a multiple of 256 bytes.
//
// Base mode does not say who sealed: everybody who knows the public key can.
package seal

import (
	"bytes"
	"crypto/hpke"
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxCredential is the longest credential, in bytes.
const MaxCredential = 8 << 10

const (
	format      = 1
	encBytes    = 32
	tagBytes    = 16
	block       = 256
	lengthBytes = 2 // of the length before the credential
	header      = 1 + fingerprintBytes + encBytes
	maxBlocks   = (lengthBytes + MaxCredential + block - 1) / block

	// MaxSealed is the longest sealed credential, in bytes.
	MaxSealed = header + maxBlocks*block + tagBytes
)

var info = []byte("weir sealed credential v1\x00")

// What can be wrong with a sealed credential; test with errors.Is.
var (
	// ErrFormat means bytes that no Seal of this or an earlier build has made.
	ErrFormat = errors.New("not a sealed credential of a known format")
	// ErrOtherKey means that it was sealed for another key.
	ErrOtherKey = errors.New("sealed for another key")
	// ErrBinding means that it was sealed for another binding, or was damaged: the
	// two can't be told apart.
	ErrBinding = errors.New("sealed for something else, or damaged")
)

// Seal encrypts a credential of 1 to MaxCredential bytes. Two calls never give the
// same bytes.
func Seal(to PublicKey, b Binding, credential []byte) ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	if len(credential) == 0 || len(credential) > MaxCredential {
		return nil, fmt.Errorf("seal: a credential of %d bytes; want 1 to %d", len(credential), MaxCredential)
	}
	if to.key == nil {
		return nil, ErrKey
	}
	enc, sender, err := hpke.NewSender(to.key, hpke.HKDFSHA256(), hpke.AES256GCM(), info)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	ciphertext, err := sender.Seal(b.encode(), pad(credential))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	fingerprint := to.Fingerprint()
	return bytes.Join([][]byte{{format}, fingerprint[:], enc, ciphertext}, nil), nil
}

// Open decrypts what was sealed for this key and this binding, and for no other.
func Open(k PrivateKey, b Binding, sealed []byte) ([]byte, error) {
	sealedFor, err := Recipient(sealed)
	if err != nil {
		return nil, err
	}
	if own := k.Public().Fingerprint(); sealedFor != own {
		return nil, fmt.Errorf("%w: for %s, this key is %s", ErrOtherKey, sealedFor, own)
	}
	enc, ciphertext := sealed[1+fingerprintBytes:header], sealed[header:]
	recipient, err := hpke.NewRecipient(enc, k.key, hpke.HKDFSHA256(), hpke.AES256GCM(), info)
	if err != nil {
		return nil, ErrBinding
	}
	padded, err := recipient.Open(b.encode(), ciphertext)
	if err != nil {
		return nil, ErrBinding
	}
	return unpad(padded)
}

// Recipient is the fingerprint of the key that a sealed credential was made for.
// It looks at the form only: whether it opens, only the key's holder can tell.
func Recipient(sealed []byte) (Fingerprint, error) {
	body := len(sealed) - header - tagBytes
	if len(sealed) > MaxSealed || body <= 0 || body%block != 0 || sealed[0] != format {
		return Fingerprint{}, ErrFormat
	}
	return Fingerprint(sealed[1 : 1+fingerprintBytes]), nil
}

func pad(credential []byte) []byte {
	blocks := (lengthBytes + len(credential) + block - 1) / block
	padded := make([]byte, 0, blocks*block)
	padded = binary.BigEndian.AppendUint16(padded, uint16(len(credential)))
	padded = append(padded, credential...)
	return padded[:blocks*block]
}

// unpad refuses what pad does not make.
func unpad(padded []byte) ([]byte, error) {
	length := int(binary.BigEndian.Uint16(padded))
	if length == 0 || lengthBytes+length > len(padded) {
		return nil, ErrFormat
	}
	credential := padded[lengthBytes : lengthBytes+length]
	if !bytes.Equal(pad(credential), padded) {
		return nil, ErrFormat
	}
	return credential, nil
}
