package ingest

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"

	"github.com/weirhq/weir/proto/contract/batch"
)

// Reasons of dead letters: a header of the record, a label of the counter.
const (
	reasonMalformed    = "malformed"
	reasonTooLarge     = "too_large"
	reasonUnknownAgent = "unknown_agent"
	reasonSignature    = "bad_signature"
	reasonPayload      = "bad_payload"
	reasonRecord       = "bad_record"
	reasonClock        = "bad_clock"
	// The same range came before with other content: an alarm.
	reasonConflict = "conflict"
)

// deadLetter is a record put aside; its bytes are kept as they came.
type deadLetter struct {
	source         record
	reason, detail string
	stripped       bool
}

// withoutValue leaves the bytes where they came from: the headers say where.
func (l deadLetter) withoutValue() deadLetter {
	l.detail = fmt.Sprintf("%s (its %d bytes are too large for this topic)", l.detail, len(l.source.value))
	l.source.key, l.source.value, l.stripped = nil, nil, true
	return l
}

func newDeadLetter(source record, reason string, err error) deadLetter {
	return deadLetter{source: source, reason: reason, detail: err.Error()}
}

func reasonOf(err error) string {
	for sentinel, reason := range map[error]string{
		errUnknownAgent:    reasonUnknownAgent,
		errBadRecord:       reasonRecord,
		errClock:           reasonClock,
		batch.ErrSignature: reasonSignature,
		batch.ErrPayload:   reasonPayload,
		batch.ErrTooLarge:  reasonTooLarge,
	} {
		if errors.Is(err, sentinel) {
			return reason
		}
	}
	return reasonMalformed
}

func (l deadLetter) record(topic string, topicID uuid.UUID, partition int) kafka.Record {
	header := func(key, value string) kafka.Header { return kafka.Header{Key: key, Value: []byte(value)} }
	return kafka.Record{
		Key:   kafka.NewBytes(l.source.key),
		Value: kafka.NewBytes(l.source.value),
		Headers: []kafka.Header{
			header("weir-reason", l.reason),
			header("weir-detail", l.detail),
			header("weir-topic", topic),
			header("weir-topic-id", topicID.String()),
			header("weir-partition", strconv.Itoa(partition)),
			header("weir-offset", strconv.FormatInt(l.source.offset, 10)),
		},
	}
}
