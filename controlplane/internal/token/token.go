// Package token makes the secrets that Weir hands out: virtual keys (weir_),
// service-account tokens (weirsa_) and enrolment tokens (weiret_). A text is the
// prefix, 32 random bytes and a CRC-32 of all before it, both in base62, so that
// scanners can tell a real one from a look-alike without asking anybody.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"math/big"
	"strings"
)

// Prefixes of what there is.
const (
	Key            = "weir_"
	ServiceAccount = "weirsa_"
	Enrolment      = "weiret_"
)

const (
	randomDigits   = 43 // of 32 bytes
	checksumDigits = 6  // of 4 bytes
	suffixLength   = 4
	digits         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// New makes a secret. Only hash and suffix may be stored; the text is shown once.
func New(prefix string) (plaintext string, hash [sha256.Size]byte, suffix string, err error) {
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return "", hash, "", fmt.Errorf("read random bytes: %w", err)
	}
	body := prefix + base62(new(big.Int).SetBytes(secret[:]), randomDigits)
	plaintext = body + checksum(body)
	return plaintext, Hash(plaintext), plaintext[len(plaintext)-suffixLength:], nil
}

// Valid tells whether text could be a secret with this prefix: form and checksum.
func Valid(text, prefix string) bool {
	if len(text) != len(prefix)+randomDigits+checksumDigits || !strings.HasPrefix(text, prefix) {
		return false
	}
	body := text[:len(text)-checksumDigits]
	for _, c := range body[len(prefix):] {
		if !strings.ContainsRune(digits, c) {
			return false
		}
	}
	return text[len(body):] == checksum(body)
}

// Hash is what is stored of a secret: SHA-256 of its whole text.
func Hash(plaintext string) [sha256.Size]byte { return sha256.Sum256([]byte(plaintext)) }

func checksum(body string) string {
	return base62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))), checksumDigits)
}

// base62 writes n with exactly width digits, the highest first.
func base62(n *big.Int, width int) string {
	out := make([]byte, width)
	base, digit := big.NewInt(int64(len(digits))), new(big.Int)
	rest := new(big.Int).Set(n)
	for i := width - 1; i >= 0; i-- {
		rest.QuoRem(rest, base, digit)
		out[i] = digits[digit.Int64()]
	}
	return string(out)
}
