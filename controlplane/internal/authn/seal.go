package authn

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

var errUnsealed = errors.New("the cookie is not one of ours")

// sealer encrypts and authenticates what is kept in a browser.
type sealer struct {
	aead    cipher.AEAD
	purpose []byte
}

func newSealer(key []byte, purpose string) (sealer, error) {
	derived, err := hkdf.Key(sha256.New, key, nil, "weir console cookie: "+purpose, 32)
	if err != nil {
		return sealer{}, fmt.Errorf("derive the key of %s cookies: %w", purpose, err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{aead: aead, purpose: []byte(purpose)}, err
}

func (s sealer) seal(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode a cookie: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, text, s.purpose)), nil
}

func (s sealer) open(cookie string, value any) error {
	sealed, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil {
		return errUnsealed
	}
	text, err := s.aead.Open(nil, nil, sealed, s.purpose)
	if err != nil {
		return errUnsealed
	}
	return json.Unmarshal(text, value)
}
