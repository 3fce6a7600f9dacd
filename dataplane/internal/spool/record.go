package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// A segment is a sequence of frames: length of the payload (uint32), CRC-32C
// (uint32), type (one byte), payload; numbers little-endian. The checksum covers
// the segment's name and the frame's offset too: a frame is one only where it was
// written, so that no bytes inside a record are ever taken for a record.
const (
	frameHead   = 9
	maxPayload  = 1 << 20
	maxRecord   = maxBatchBytes / 2
	startPrefix = 8  // local id
	endPrefix   = 16 // local id, seq
)

const (
	frameCheckpoint = byte(iota + 1)
	frameStart      // local id, usage record; a later one of the same id replaces it
	frameEnd        // local id (0: refused by the agent itself), seq, usage record without seq
	frameBatch
	frameSettled
	frameTypes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func newFrame(kind byte, prefix int, payload int) []byte {
	frame := make([]byte, frameHead+prefix, frameHead+prefix+payload)
	frame[8] = kind
	return frame
}

// seal fills in length and checksum of a frame that will stand at offset.
func seal(frame []byte, seed uint32, offset int64) {
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-frameHead))
	binary.LittleEndian.PutUint32(frame[4:], checksum(frame, seed, offset))
}

func checksum(frame []byte, seed uint32, offset int64) uint32 {
	var place [12]byte
	binary.LittleEndian.PutUint64(place[:], uint64(offset))
	copy(place[8:], frame[:4])
	return crc32.Update(crc32.Update(seed, castagnoli, place[:]), castagnoli, frame[8:])
}

// parseFrame returns the frame that data begins with. Cut means that there may be
// one, if only data went on.
func parseFrame(data []byte, seed uint32, offset int64) (frame []byte, cut bool) {
	if len(data) < frameHead {
		return nil, true
	}
	length := binary.LittleEndian.Uint32(data)
	if length == 0 || length > maxPayload || data[8] == 0 || data[8] >= frameTypes {
		return nil, false
	}
	end := frameHead + int(length)
	if end > len(data) {
		return nil, true
	}
	frame = data[:end:end]
	if binary.LittleEndian.Uint32(frame[4:]) != checksum(frame, seed, offset) {
		return nil, false
	}
	return frame, false
}

func encodeRecord(kind byte, prefix int, record *usagev1.UsageRecord) ([]byte, error) {
	size := proto.Size(record)
	if size > maxRecord || len(record.GetAttempts()) > batch.MaxAttempts {
		return nil, fmt.Errorf("%w: %d bytes, %d attempts", ErrTooLarge, size, len(record.GetAttempts()))
	}
	frame, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(newFrame(kind, prefix, size), record)
	if err != nil {
		return nil, fmt.Errorf("encode usage record: %w", err)
	}
	return frame, nil
}

func decodeStart(payload []byte) (id uint64, body []byte, err error) {
	if len(payload) < startPrefix {
		return 0, nil, errors.New("start without an id")
	}
	return binary.LittleEndian.Uint64(payload), payload[startPrefix:], nil
}

// ended is a frameEnd.
type ended struct {
	id     uint64
	seq    int64
	body   []byte
	record *usagev1.UsageRecord // nil until decoded
}

func decodeEnd(payload []byte) (ended, error) {
	if len(payload) < endPrefix {
		return ended{}, errors.New("end without id and seq")
	}
	return ended{
		id: binary.LittleEndian.Uint64(payload), seq: int64(binary.LittleEndian.Uint64(payload[8:])), body: payload[endPrefix:],
	}, nil
}

func (e *ended) decode() error {
	e.record = &usagev1.UsageRecord{}
	if err := proto.Unmarshal(e.body, e.record); err != nil {
		return fmt.Errorf("decode usage record %d: %w", e.seq, err)
	}
	e.record.Seq = e.seq
	return nil
}
