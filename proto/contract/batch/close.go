package batch

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var deterministic = proto.MarshalOptions{Deterministic: true}

// One encoder, one goroutine, one level: parallel encoding would make the bytes
// depend on the machine.
var encoder, encoderErr = zstd.NewWriter(nil,
	zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderCRC(false))

// Close returns a serialized usagev1.SignedBatch of records, whose seq must rise
// by one from each to the next. It refuses what Open would refuse.
func Close(agentID, boot string, records []*usagev1.UsageRecord, closedAt time.Time, key ed25519.PrivateKey) ([]byte, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("close usage batch: private key of %d bytes", len(key))
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("%w: no records", ErrMalformed)
	}
	payload, err := deterministic.Marshal(&usagev1.BatchPayload{Records: records})
	if err != nil {
		return nil, fmt.Errorf("close usage batch: %w", err)
	}
	compressed, err := compress(payload)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(compressed)
	header := &usagev1.BatchHeader{
		AgentId: agentID, Boot: boot,
		FirstSeq: records[0].GetSeq(), LastSeq: records[len(records)-1].GetSeq(),
		PayloadSha256: hash[:], PayloadBytes: int64(len(payload)),
		ClosedAtUs: closedAt.UnixMicro(),
	}
	if err := checkHeader(header); err != nil {
		return nil, err
	}
	if err := checkSize(payload); err != nil {
		return nil, err
	}
	if err := checkDense(header, records); err != nil {
		return nil, err
	}
	return sign(header, compressed, key)
}

func compress(payload []byte) ([]byte, error) {
	if encoderErr != nil {
		return nil, fmt.Errorf("zstd encoder: %w", encoderErr)
	}
	return encoder.EncodeAll(payload, nil), nil
}

func sign(header *usagev1.BatchHeader, payload []byte, key ed25519.PrivateKey) ([]byte, error) {
	head, err := deterministic.Marshal(header)
	if err != nil {
		return nil, fmt.Errorf("close usage batch: %w", err)
	}
	return Value(&usagev1.SignedBatch{Header: head, Signature: ed25519.Sign(key, Message(head)), Payload: payload})
}
