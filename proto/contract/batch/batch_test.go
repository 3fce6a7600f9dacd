package batch_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	agentID = "0197f1c2-0000-7000-8000-000000000001"
	boot    = "00000001-9f86d081884c7d65"
)

var (
	key      = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	closedAt = time.UnixMicro(1_780_000_000_123_456)
)

func publicKey(*usagev1.BatchHeader) (ed25519.PublicKey, error) {
	return key.Public().(ed25519.PublicKey), nil
}

func records(first int64, count int) []*usagev1.UsageRecord {
	all := make([]*usagev1.UsageRecord, count)
	for i := range all {
		seq := first + int64(i)
		all[i] = &usagev1.UsageRecord{
			Seq: seq, RequestId: fmt.Sprintf("0197f1c2-0000-7000-8000-%012d", seq), Route: "fast",
			Surface: usagev1.Surface_SURFACE_OPENAI_CHAT, Outcome: usagev1.Outcome_OUTCOME_OK, Status: 200,
			Attempts: []*usagev1.Attempt{{
				Provider: "openai", Model: "gpt-5-mini", CostNanoUsd: proto.Int64(1250 * seq),
				Usage: &usagev1.TokenUsage{Input: 12, Output: 34},
			}},
		}
	}
	return all
}

func mustClose(t testing.TB, recs []*usagev1.UsageRecord) []byte {
	t.Helper()
	value, err := batch.Close(agentID, boot, recs, closedAt, key)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestClose(t *testing.T) {
	t.Run("golden_vectors", func(t *testing.T) {
		for _, c := range []struct {
			name    string
			records []*usagev1.UsageRecord
			want    string
		}{
			{"one", records(1, 1), "02e1ae82ee327ccd23b291c80fa016ba5d26e812483db46e080e9f9567132f99"},
			{"many", records(1001, 500), "0b8d4740dd945c32087f4c89a27b5d484b92d4738619b18d10d4fd62cb897069"},
		} {
			hash := sha256.Sum256(mustClose(t, c.records))
			if got := hex.EncodeToString(hash[:]); got != c.want {
				t.Errorf("%s: batch with hash %s, want %s", c.name, got, c.want)
			}
		}
	})
	t.Run("same_input_gives_same_bytes", func(t *testing.T) {
		want := mustClose(t, records(1, 300))
		for i := range 20 {
			mustClose(t, records(int64(i+1), 10*i+1))
			if !bytes.Equal(mustClose(t, records(1, 300)), want) {
				t.Fatal("other bytes")
			}
		}
	})
	t.Run("opens_as_what_was_closed", func(t *testing.T) {
		want := records(41, 77)
		header, got, err := batch.Open(mustClose(t, want), publicKey)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
		if header.GetAgentId() != agentID || header.GetBoot() != boot || header.GetFirstSeq() != 41 || header.GetLastSeq() != 117 {
			t.Errorf("header %v", header)
		}
	})
	t.Run("refuses_what_open_would_refuse", func(t *testing.T) {
		hole := records(1, 3)
		hole[2].Seq = 4
		attempts := records(1, 1)
		attempts[0].Attempts = make([]*usagev1.Attempt, batch.MaxAttempts+1)
		for i := range attempts[0].Attempts {
			attempts[0].Attempts[i] = &usagev1.Attempt{}
		}
		for name, recs := range map[string][]*usagev1.UsageRecord{
			"none": nil, "hole": hole, "seq_zero": records(0, 1), "too_many": records(1, batch.MaxRecords+1), "attempts": attempts,
		} {
			if _, err := batch.Close(agentID, boot, recs, closedAt, key); !errors.Is(err, batch.ErrMalformed) && !errors.Is(err, batch.ErrTooLarge) {
				t.Errorf("%s: error %v", name, err)
			}
		}
	})
}
