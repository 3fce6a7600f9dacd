package batch

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Output is written into a buffer of the size that the signed header names, and
// no further.
var decoder, decoderErr = zstd.NewReader(nil,
	zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxPayloadBytes), zstd.WithDecodeAllCapLimit(true))

// Header returns the header of a serialized SignedBatch, bounded but NOT verified:
// good for finding whose key to ask for, for nothing else.
func Header(value []byte) (*usagev1.BatchHeader, error) {
	signed, err := parse(value)
	if err != nil {
		return nil, err
	}
	return headerOf(signed)
}

// Verify checks a batch's header, signature and hash of the payload, which it does not open:
// its agent did sign these bytes. Errors: as Open's, without those about records.
func Verify(signed *usagev1.SignedBatch, publicKey KeyFunc) (*usagev1.BatchHeader, error) {
	header, err := headerOf(signed)
	if err != nil {
		return nil, err
	}
	key, err := publicKey(header)
	if err != nil {
		return nil, fmt.Errorf("key of agent %s: %w", header.GetAgentId(), err)
	}
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, Message(signed.GetHeader()), signed.GetSignature()) {
		return nil, fmt.Errorf("%w: agent %s", ErrSignature, header.GetAgentId())
	}
	if hash := sha256.Sum256(signed.GetPayload()); !bytes.Equal(hash[:], header.GetPayloadSha256()) {
		return nil, ErrPayload
	}
	return header, nil
}

// Value is a batch as Close made it: one Kafka record's value.
func Value(signed *usagev1.SignedBatch) ([]byte, error) {
	value, err := deterministic.Marshal(signed)
	if err != nil {
		return nil, fmt.Errorf("encode usage batch: %w", err)
	}
	return value, nil
}

// Open verifies a serialized SignedBatch with the key that publicKey names and
// returns its header and records. Nothing is decompressed before the signature
// and the payload's hash were found right. A header beside an error is verified,
// too: its agent did sign a payload that holds no such records.
func Open(value []byte, publicKey KeyFunc) (*usagev1.BatchHeader, []*usagev1.UsageRecord, error) {
	signed, err := parse(value)
	if err != nil {
		return nil, nil, err
	}
	header, err := Verify(signed, publicKey)
	if err != nil {
		return nil, nil, err
	}
	if decoderErr != nil {
		return nil, nil, fmt.Errorf("zstd decoder: %w", decoderErr)
	}
	records, err := openPayload(header, signed.GetPayload())
	if err != nil {
		return header, nil, err
	}
	return header, records, nil
}

func parse(value []byte) (*usagev1.SignedBatch, error) {
	if len(value) > MaxValueBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(value))
	}
	signed := &usagev1.SignedBatch{}
	if err := proto.Unmarshal(value, signed); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return signed, nil
}

func headerOf(signed *usagev1.SignedBatch) (*usagev1.BatchHeader, error) {
	header := &usagev1.BatchHeader{}
	if err := proto.Unmarshal(signed.GetHeader(), header); err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrMalformed, err)
	}
	return header, checkHeader(header)
}

func openPayload(header *usagev1.BatchHeader, compressed []byte) ([]*usagev1.UsageRecord, error) {
	body, err := decoder.DecodeAll(compressed, make([]byte, 0, header.GetPayloadBytes()))
	if err != nil {
		return nil, fmt.Errorf("%w: payload: %w", ErrMalformed, err)
	}
	if int64(len(body)) != header.GetPayloadBytes() {
		return nil, fmt.Errorf("%w: payload of %d bytes, header says %d", ErrMalformed, len(body), header.GetPayloadBytes())
	}
	if err := checkSize(body); err != nil {
		return nil, err
	}
	payload := &usagev1.BatchPayload{}
	if err := proto.Unmarshal(body, payload); err != nil {
		return nil, fmt.Errorf("%w: payload: %w", ErrMalformed, err)
	}
	if err := checkDense(header, payload.GetRecords()); err != nil {
		return nil, err
	}
	return payload.GetRecords(), nil
}
