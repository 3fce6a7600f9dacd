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
	reasonRevoked      = "agent_revoked"
	reasonSignature    = "bad_signature"
	reasonPayload      = "bad_payload"
	reasonRecord       = "bad_record"
	reasonClock        = "bad_clock"
	// ClickHouse took every row of the block but these.
	reasonRefused = "refused_by_clickhouse"
	// The same range came before with other content: an alarm.
	reasonConflict = "conflict"
)

// reasons are all of them, in the order of the alphabet.
var reasons = []string{
	reasonRevoked, reasonClock, reasonPayload, reasonRecord, reasonSignature, reasonConflict, reasonMalformed, reasonRefused, reasonTooLarge, reasonUnknownAgent,
}

// deadLetter is a record put aside; its bytes are kept as they came.
type deadLetter struct {
	source         record
	reason, detail string
	// stripped: the topic took it without its bytes.
	stripped bool
	// signed says whose numbers it has; nil: the sender may be anybody.
	signed *signedSeqs
	// unbelieved are numbers that the key of a revoked agent signed: completeness tells of
	// them, and nothing goes by them.
	unbelieved *signedSeqs
}

// signedSeqs are numbers that their agent signed and that are not to be rows.
type signedSeqs struct {
	boot   boot
	sha256 [32]byte
	seqs   seqs
	// claimed: nobody else may make rows of them.
	claimed bool
}

// kept tells whether its numbers are safe in the dead-letter topic: only then may
// the agent drop them. On an unsigned letter anybody could write any numbers.
func (l deadLetter) kept() bool { return l.signed != nil && !l.stripped }

// withoutValue leaves the bytes where they came from: the headers say where.
func (l deadLetter) withoutValue() deadLetter {
	l.detail = fmt.Sprintf("%s (its %d bytes are too large for this topic)", l.detail, len(l.source.value))
	l.source.key, l.source.value, l.stripped = nil, nil, true
	return l
}

func newDeadLetter(source record, reason string, err error) deadLetter {
	return deadLetter{source: source, reason: reason, detail: err.Error()}
}

// letter puts numbers of a signed batch aside.
func (b incoming) letter(reason string, err error, of seqs) deadLetter {
	l := newDeadLetter(b.source, reason, err)
	l.signed = &signedSeqs{boot: b.boot, sha256: b.sha256, seqs: of}
	return l
}

// unbelievedLetter puts a batch aside that the key of a revoked agent signed.
func (b incoming) unbelievedLetter(unclaimed seqs) deadLetter {
	l := newDeadLetter(b.source, reasonRevoked, fmt.Errorf("%w: agent %s", errRevoked, b.boot.agent))
	l.unbelieved = &signedSeqs{boot: b.boot, sha256: b.sha256, seqs: unclaimed}
	return l
}

// letters puts the bad records of a batch aside, one letter for each reason: the
// signature covers the whole batch, so each holds all of it and names its numbers.
func (b incoming) letters(claimed bool) []deadLetter {
	var out []deadLetter
	of := map[string][]int64{}
	for _, bad := range b.bad {
		reason := reasonOf(bad.err)
		if of[reason] == nil {
			out = append(out, b.letter(reason, fmt.Errorf("seq %d: %w", bad.seq, bad.err), nil))
		}
		of[reason] = append(of[reason], bad.seq)
	}
	for i := range out {
		out[i].signed.seqs, out[i].signed.claimed = numbers(of[out[i].reason]), claimed
	}
	return out
}

func reasonOf(err error) string {
	for sentinel, reason := range map[error]string{
		errUnknownAgent:    reasonUnknownAgent,
		errRevoked:         reasonRevoked,
		errBadRecord:       reasonRecord,
		errClock:           reasonClock,
		errRefused:         reasonRefused,
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
	out := kafka.Record{
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
	if l.signed != nil {
		out.Headers = append(out.Headers, header("weir-seqs", l.signed.seqs.String()))
	}
	return out
}
