package spool

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Bounds of one batch.
const (
	maxBatchRecords = 500
	maxBatchBytes   = 256 << 10 // of encoded records
)

// CloseBatch turns records first..last of one boot, dense, into the bytes to ship.
type CloseBatch func(boot string, records []*usagev1.UsageRecord) ([]byte, error)

// Batch is closed and fsynced; its value is the same each time it is handed out.
type Batch struct {
	Boot        string
	First, Last int64
	// Agent that it was closed for; empty: nobody said.
	Agent string
	Value []byte
}

type batchKey struct {
	Boot  string `json:"boot"`
	First int64  `json:"first"`
	Last  int64  `json:"last"`
}

// batchHead stands before the value in a frameBatch. It names the requests that
// the batch ends, so that a start whose end was damaged later is not reported twice.
type batchHead struct {
	batchKey
	Agent string     `json:"agent,omitempty"`
	AtUs  int64      `json:"at_us"`
	Bytes int64      `json:"bytes"` // of the ends it closes
	IDs   []uint64   `json:"ids,omitempty"`
	Torn  []tornJSON `json:"torn,omitempty"`
	// Request ids of tombstones.
	Stones []string `json:"stones,omitempty"`
}

type tornJSON struct {
	Boot string `json:"boot"`
	ID   uint64 `json:"id"`
}

// batchRef says where a closed batch stands.
type batchRef struct {
	batchKey
	agent   string
	segment *segment // nil: released
	offset  int64
	length  int64
	at      time.Time
	acked   time.Time // zero: not since the start of this boot
	refused bool      // passed over at acked: the broker does not have it
}

// stands tells whether it is in a segment, so that it can be sent, and frees room once settled.
func (r *batchRef) stands() bool { return r.segment != nil }

// taken tells whether the broker has said that it has the batch.
func (r *batchRef) taken() bool { return !r.acked.IsZero() && !r.refused }

func encodeBatch(head batchHead, value []byte) ([]byte, error) {
	text, err := json.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("encode batch head: %w", err)
	}
	if 4+len(text)+len(value) > maxPayload {
		return nil, fmt.Errorf("%w: batch of %d bytes", ErrTooLarge, len(value))
	}
	frame := newFrame(frameBatch, 4, len(text)+len(value))
	binary.LittleEndian.PutUint32(frame[frameHead:], uint32(len(text)))
	return append(append(frame, text...), value...), nil
}

func decodeBatch(payload []byte) (head batchHead, value []byte, err error) {
	if len(payload) < 4 {
		return head, nil, errors.New("batch without a head")
	}
	length, rest := binary.LittleEndian.Uint32(payload), payload[4:]
	if uint64(length) > uint64(len(rest)) {
		return head, nil, errors.New("batch head goes beyond the batch")
	}
	if err := json.Unmarshal(rest[:length], &head); err != nil {
		return head, nil, fmt.Errorf("decode batch head: %w", err)
	}
	if _, err := bootCounter(head.Boot); err != nil || head.First < 1 || head.Last < head.First {
		return head, nil, fmt.Errorf("batch of %q %d..%d", head.Boot, head.First, head.Last)
	}
	return head, rest[length:], nil
}

func headOf(boot string, pending []ended, at time.Time) batchHead {
	head := batchHead{
		batchKey: batchKey{Boot: boot, First: pending[0].seq, Last: pending[len(pending)-1].seq}, AtUs: at.UnixMicro(),
	}
	for _, e := range pending {
		head.Bytes += frameSize(e)
		if e.id != 0 {
			head.IDs = append(head.IDs, e.id)
		}
		if from := e.record.GetTornFrom(); from != nil {
			head.Torn = append(head.Torn, tornJSON{Boot: from.GetBoot(), ID: uint64(from.GetLocalId())})
		}
		if e.record.GetKind() == usagev1.Kind_KIND_TOMBSTONE {
			head.Stones = append(head.Stones, e.record.GetRequestId())
		}
	}
	return head
}

// index takes a batch that stands in a segment into account.
func (l *Log) index(s *segment, head batchHead, offset, length int64, at time.Time) {
	l.bootState(head.Boot).batched.add(head.First, head.Last)
	s.batches = append(s.batches, head.batchKey)
	l.batches = append(l.batches, &batchRef{
		batchKey: head.batchKey, agent: head.Agent, segment: s, offset: offset, length: length, at: at,
	})
}

func (l *Log) load(ref *batchRef) (Batch, error) {
	l.files.RLock()
	defer l.files.RUnlock()
	if ref.segment.gone {
		return Batch{}, errGone
	}
	data, err := ref.segment.load(ref.offset, ref.offset+ref.length)
	if err != nil {
		return Batch{}, err
	}
	frame, _ := parseFrame(data, ref.segment.seed, ref.offset)
	if frame == nil {
		return Batch{}, fmt.Errorf("batch at %d of %s is damaged", ref.offset, ref.segment.path)
	}
	_, value, err := decodeBatch(frame[frameHead:])
	return Batch{Boot: ref.Boot, First: ref.First, Last: ref.Last, Agent: ref.agent, Value: value}, err
}
