package batch

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	recordsField  = protowire.Number(1)  // of BatchPayload
	attemptsField = protowire.Number(19) // of UsageRecord
)

func checkHeader(h *usagev1.BatchHeader) error {
	for _, id := range []string{h.GetAgentId(), h.GetBoot()} {
		if id == "" || len(id) > maxIDBytes || strings.ContainsFunc(id, outsideID) {
			return fmt.Errorf("%w: agent id or boot %.*q", ErrMalformed, maxIDBytes, id)
		}
	}
	first, last := h.GetFirstSeq(), h.GetLastSeq()
	if first < 1 || last < first {
		return fmt.Errorf("%w: range %d..%d", ErrMalformed, first, last)
	}
	if last > MaxSeq {
		return fmt.Errorf("%w: seq %d", ErrMalformed, last)
	}
	if last-first >= MaxRecords {
		return fmt.Errorf("%w: range %d..%d", ErrTooLarge, first, last)
	}
	if len(h.GetPayloadSha256()) != sha256.Size {
		return fmt.Errorf("%w: payload hash of %d bytes", ErrMalformed, len(h.GetPayloadSha256()))
	}
	if h.GetPayloadBytes() < 1 {
		return fmt.Errorf("%w: payload of %d bytes", ErrMalformed, h.GetPayloadBytes())
	}
	if h.GetPayloadBytes() > MaxPayloadBytes {
		return fmt.Errorf("%w: payload of %d bytes", ErrTooLarge, h.GetPayloadBytes())
	}
	return nil
}

// outsideID tells what an id has no use for: printable ASCII goes into every
// store, a zero byte does not.
func outsideID(r rune) bool { return r <= ' ' || r > '~' }

func checkDense(h *usagev1.BatchHeader, records []*usagev1.UsageRecord) error {
	if int64(len(records)) != h.GetLastSeq()-h.GetFirstSeq()+1 {
		return fmt.Errorf("%w: %d records for %d..%d", ErrMalformed, len(records), h.GetFirstSeq(), h.GetLastSeq())
	}
	for i, r := range records {
		if r.GetSeq() != h.GetFirstSeq()+int64(i) {
			return fmt.Errorf("%w: seq %d where %d belongs", ErrMalformed, r.GetSeq(), h.GetFirstSeq()+int64(i))
		}
	}
	return nil
}

// checkSize counts messages before they are decoded: an empty one is two bytes
// here and hundreds in memory.
func checkSize(payload []byte) error {
	records := 0
	return eachMessage(payload, recordsField, func(record []byte) error {
		if records++; records > MaxRecords {
			return fmt.Errorf("%w: more than %d records", ErrTooLarge, MaxRecords)
		}
		attempts := 0
		return eachMessage(record, attemptsField, func([]byte) error {
			if attempts++; attempts > MaxAttempts {
				return fmt.Errorf("%w: more than %d attempts in a record", ErrTooLarge, MaxAttempts)
			}
			return nil
		})
	})
}

func eachMessage(b []byte, field protowire.Number, visit func([]byte) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("%w: payload: %w", ErrMalformed, protowire.ParseError(n))
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			return fmt.Errorf("%w: payload: %w", ErrMalformed, protowire.ParseError(n))
		}
		if number == field && kind == protowire.BytesType {
			message, _ := protowire.ConsumeBytes(b)
			if err := visit(message); err != nil {
				return err
			}
		}
		b = b[n:]
	}
	return nil
}
