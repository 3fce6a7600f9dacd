// Package batch closes and opens batches of usage records: the bytes an agent
// signs and ingest verifies. Both planes compute it alike; it does no I/O, holds
// no keys and knows nothing about where batches go.
//
// A batch covers the records first..last of one boot of one agent, without a
// hole. Closing the same input gives the same bytes.
package batch

import (
	"crypto/ed25519"
	"errors"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Bounds that Close holds and Open refuses to go beyond.
const (
	MaxPayloadBytes = 8 << 20                 // decompressed payload
	MaxValueBytes   = MaxPayloadBytes + 1<<16 // serialized SignedBatch
	MaxRecords      = 10_000                  // records of one batch
	MaxAttempts     = 64                      // attempts of one record
	MaxSeq          = 1 << 53                 // exact in every language; stores add to it
	maxIDBytes      = 64                      // agent id, boot
)

// What can be wrong with a batch; test with errors.Is.
var (
	// ErrMalformed means bytes that no Close has made.
	ErrMalformed = errors.New("malformed usage batch")
	// ErrTooLarge means a batch beyond the bounds above.
	ErrTooLarge = errors.New("usage batch too large")
	// ErrSignature means that the key did not sign this header.
	ErrSignature = errors.New("usage batch signature does not verify")
	// ErrPayload means a payload other than the one whose hash was signed.
	ErrPayload = errors.New("usage batch payload is not the signed one")
)

// Message is what the signature of a batch covers, given its serialized header.
func Message(header []byte) []byte {
	return append([]byte("weir usage batch v1\x00"), header...)
}

// KeyFunc returns the public key of the agent that a header, not verified yet,
// names. Its errors come out of Open wrapped, as what they are.
type KeyFunc func(*usagev1.BatchHeader) (ed25519.PublicKey, error)
