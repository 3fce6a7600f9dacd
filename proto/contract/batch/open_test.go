package batch_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// forge signs, with the right key, whatever body and header are given.
func forge(t testing.TB, body []byte, change func(*usagev1.BatchHeader)) []byte {
	t.Helper()
	return forgeCompressed(t, compress(t, body), func(h *usagev1.BatchHeader) {
		h.PayloadBytes = int64(len(body))
		change(h)
	})
}

func compress(t testing.TB, body []byte) []byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return encoder.EncodeAll(body, nil)
}

// forgeCompressed signs a payload as it is.
func forgeCompressed(t testing.TB, compressed []byte, change func(*usagev1.BatchHeader)) []byte {
	t.Helper()
	hash := sha256.Sum256(compressed)
	header := &usagev1.BatchHeader{AgentId: agentID, Boot: boot, FirstSeq: 1, LastSeq: 1, PayloadSha256: hash[:]}
	change(header)
	head, err := proto.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	value, err := proto.Marshal(&usagev1.SignedBatch{Header: head, Signature: ed25519.Sign(key, batch.Message(head)), Payload: compressed})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestOpen(t *testing.T) {
	t.Run("any_changed_byte_is_refused", func(t *testing.T) {
		value := mustClose(t, records(1, 3))
		for i := range value {
			changed := bytes.Clone(value)
			changed[i] ^= 0x41
			if _, _, err := batch.Open(changed, publicKey); err == nil {
				t.Fatalf("byte %d changed and nobody saw", i)
			}
		}
	})
	t.Run("any_truncation_is_refused", func(t *testing.T) {
		value := mustClose(t, records(1, 3))
		for i := range value {
			if _, _, err := batch.Open(value[:i], publicKey); err == nil {
				t.Fatalf("cut to %d bytes and nobody saw", i)
			}
		}
	})
	t.Run("another_agents_key", func(t *testing.T) {
		other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
		_, _, err := batch.Open(mustClose(t, records(1, 1)), func(*usagev1.BatchHeader) (ed25519.PublicKey, error) { return other, nil })
		if !errors.Is(err, batch.ErrSignature) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a_key_of_wrong_size", func(t *testing.T) {
		_, _, err := batch.Open(mustClose(t, records(1, 1)), func(*usagev1.BatchHeader) (ed25519.PublicKey, error) { return nil, nil })
		if !errors.Is(err, batch.ErrSignature) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("key_errors_stay_what_they_are", func(t *testing.T) {
		down := errors.New("registry is down")
		_, _, err := batch.Open(mustClose(t, records(1, 1)), func(*usagev1.BatchHeader) (ed25519.PublicKey, error) { return nil, down })
		if !errors.Is(err, down) || errors.Is(err, batch.ErrSignature) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("another_payload", func(t *testing.T) {
		signed := &usagev1.SignedBatch{}
		if err := proto.Unmarshal(mustClose(t, records(1, 1)), signed); err != nil {
			t.Fatal(err)
		}
		signed.Payload = append(signed.Payload, 0)
		value, err := proto.Marshal(signed)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := batch.Open(value, publicKey); !errors.Is(err, batch.ErrPayload) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a_header_beside_an_error_is_verified", func(t *testing.T) {
		value := forge(t, []byte("\xff\xff\xff"), func(*usagev1.BatchHeader) {})
		if header, _, err := batch.Open(value, publicKey); err == nil || header.GetAgentId() != agentID {
			t.Errorf("signed and unreadable: header %v, error %v", header, err)
		}
		signed := &usagev1.SignedBatch{}
		if err := proto.Unmarshal(value, signed); err != nil {
			t.Fatal(err)
		}
		for name, forged := range map[string]*usagev1.SignedBatch{
			"another_payload": {Header: signed.Header, Signature: signed.Signature, Payload: []byte("anything")},
			"no_signature":    {Header: signed.Header, Payload: signed.Payload},
		} {
			value, err := proto.Marshal(forged)
			if err != nil {
				t.Fatal(err)
			}
			if header, _, err := batch.Open(value, publicKey); err == nil || header != nil {
				t.Errorf("%s: header %v, error %v", name, header, err)
			}
		}
	})
	t.Run("header_peeks", func(t *testing.T) {
		header, err := batch.Header(mustClose(t, records(9, 2)))
		if err != nil || header.GetAgentId() != agentID || header.GetFirstSeq() != 9 {
			t.Errorf("header %v, error %v", header, err)
		}
	})
}

func TestOpenBounds(t *testing.T) {
	one, err := proto.Marshal(&usagev1.BatchPayload{Records: records(1, 1)})
	if err != nil {
		t.Fatal(err)
	}
	bomb := make([]byte, batch.MaxPayloadBytes+1)
	empties := bytes.Repeat([]byte{0x0a, 0}, batch.MaxRecords+1)
	for _, c := range []struct {
		name   string
		body   []byte
		change func(*usagev1.BatchHeader)
		want   error
	}{
		{"right", one, func(*usagev1.BatchHeader) {}, nil},
		{"bomb_that_says_so", bomb, func(*usagev1.BatchHeader) {}, batch.ErrTooLarge},
		{"bomb_that_lies", bomb, func(h *usagev1.BatchHeader) { h.PayloadBytes = 100 }, batch.ErrMalformed},
		{"payload_bytes_too_many", one, func(h *usagev1.BatchHeader) { h.PayloadBytes++ }, batch.ErrMalformed},
		{"payload_bytes_negative", one, func(h *usagev1.BatchHeader) { h.PayloadBytes = -1 }, batch.ErrMalformed},
		{"empty_records", empties, func(h *usagev1.BatchHeader) { h.LastSeq = batch.MaxRecords }, batch.ErrTooLarge},
		{"range_of_all_numbers", one, func(h *usagev1.BatchHeader) { h.LastSeq = batch.MaxSeq }, batch.ErrTooLarge},
		{"number_that_stores_cannot_add_to", one, func(h *usagev1.BatchHeader) { h.FirstSeq, h.LastSeq = 1<<63-1, 1<<63-1 }, batch.ErrMalformed},
		{"range_backwards", one, func(h *usagev1.BatchHeader) { h.FirstSeq = 2 }, batch.ErrMalformed},
		{"range_from_zero", one, func(h *usagev1.BatchHeader) { h.FirstSeq = 0 }, batch.ErrMalformed},
		{"range_longer_than_records", one, func(h *usagev1.BatchHeader) { h.LastSeq = 2 }, batch.ErrMalformed},
		{"other_numbers", one, func(h *usagev1.BatchHeader) { h.FirstSeq, h.LastSeq = 2, 2 }, batch.ErrMalformed},
		{"no_boot", one, func(h *usagev1.BatchHeader) { h.Boot = "" }, batch.ErrMalformed},
		{"boot_with_zero_byte", one, func(h *usagev1.BatchHeader) { h.Boot = "a\x00" }, batch.ErrMalformed},
		{"boot_beyond_ascii", one, func(h *usagev1.BatchHeader) { h.Boot = "größe" }, batch.ErrMalformed},
		{"long_agent", one, func(h *usagev1.BatchHeader) { h.AgentId = strings.Repeat("a", 65) }, batch.ErrMalformed},
		{"short_hash", one, func(h *usagev1.BatchHeader) { h.PayloadSha256 = h.GetPayloadSha256()[:31] }, batch.ErrMalformed},
		{"no_protobuf", []byte("\xff\xff\xff"), func(*usagev1.BatchHeader) {}, batch.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, got, err := batch.Open(forge(t, c.body, c.change), publicKey)
			if !errors.Is(err, c.want) || (c.want != nil && got != nil) {
				t.Errorf("error %v, want %v; %d records", err, c.want, len(got))
			}
		})
	}
	t.Run("value_beyond_bound", func(t *testing.T) {
		if _, err := batch.Header(make([]byte, batch.MaxValueBytes+1)); !errors.Is(err, batch.ErrTooLarge) {
			t.Errorf("error %v", err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	value := mustClose(f, records(1, 3))
	f.Add(value)
	f.Add(value[:len(value)/2])
	f.Add(forge(f, []byte{0x0a, 0}, func(*usagev1.BatchHeader) {}))
	_, want, err := batch.Open(value, publicKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		_, got, err := batch.Open(value, publicKey)
		if err != nil {
			return
		}
		for i := range got {
			if len(got) != len(want) || !proto.Equal(got[i], want[i]) {
				t.Fatalf("invented %v", got)
			}
		}
	})
}

func FuzzOpenSigned(f *testing.F) {
	one, err := proto.Marshal(&usagev1.BatchPayload{Records: records(1, 1)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(one, int64(1), int64(1))
	f.Add([]byte{0x0a, 0}, int64(0), int64(5))
	f.Fuzz(func(t *testing.T, body []byte, first, last int64) {
		header, got, err := batch.Open(forge(t, body, func(h *usagev1.BatchHeader) { h.FirstSeq, h.LastSeq = first, last }), publicKey)
		if err == nil && int64(len(got)) != header.GetLastSeq()-header.GetFirstSeq()+1 {
			t.Fatalf("%d records for %v", len(got), header)
		}
	})
}

// FuzzOpenHostile is an agent that signs whatever it likes: payloads that are no zstd, or
// unpack to more than they say, under any header. What Open takes is within the bounds, and
// what Close would have made.
func FuzzOpenHostile(f *testing.F) {
	body, err := proto.Marshal(&usagev1.BatchPayload{Records: records(1, 3)})
	if err != nil {
		f.Fatal(err)
	}
	whole, bomb := compress(f, body), compress(f, make([]byte, 1<<20))
	f.Add(whole, agentID, boot, int64(1), int64(3), int64(len(body)))
	f.Add(whole[:len(whole)-3], agentID, boot, int64(1), int64(3), int64(len(body)))
	f.Add(append(bytes.Clone(whole), whole...), agentID, boot, int64(1), int64(6), int64(2*len(body)))
	f.Add(bomb, agentID, boot, int64(1), int64(1), int64(9))
	f.Add(whole, "a\x00b", "", int64(-1), int64(1)<<62, int64(1)<<40)
	f.Fuzz(func(t *testing.T, compressed []byte, agent, start string, first, last, size int64) {
		value := forgeCompressed(t, compressed, func(h *usagev1.BatchHeader) {
			h.AgentId, h.Boot, h.FirstSeq, h.LastSeq, h.PayloadBytes = strings.ToValidUTF8(agent, "?"), strings.ToValidUTF8(start, "?"), first, last, size
		})
		header, got, err := batch.Open(value, publicKey)
		if err != nil {
			if got != nil {
				t.Fatalf("%d records beside %v", len(got), err)
			}
			return
		}
		for i, r := range got {
			if len(r.GetAttempts()) > batch.MaxAttempts || r.GetSeq() != first+int64(i) {
				t.Fatalf("record %d of %v: seq %d, %d attempts", i, header, r.GetSeq(), len(r.GetAttempts()))
			}
		}
		again, err := batch.Close(header.GetAgentId(), header.GetBoot(), got, closedAt, key)
		if err != nil {
			t.Fatalf("what was opened can't be closed: %v", err)
		}
		_, back, err := batch.Open(again, publicKey)
		if err != nil || len(back) != len(got) || last != first+int64(len(got))-1 {
			t.Fatalf("%d records came back of %d, %v", len(back), len(got), err)
		}
		for i := range got {
			if !proto.Equal(back[i], got[i]) {
				t.Fatalf("record %d came back as another", i)
			}
		}
	})
}
