package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/spool"
	"github.com/weirhq/weir/proto/contract/batch"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func next(t testing.TB, l *spool.Log) spool.Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	some, err := l.Next(ctx, 1, closeBatch)
	if err != nil || len(some) != 1 {
		t.Fatal(some, err)
	}
	return some[0]
}

func TestNext(t *testing.T) {
	t.Run("the_same_bytes_until_acknowledged_also_after_a_restart", func(t *testing.T) {
		o := spool.Options{Dir: t.TempDir(), Linger: time.Millisecond}
		l := open(t, o)
		request(t, l, "a")
		first := next(t, l)
		request(t, l, "b")
		if again := next(t, l); !bytes.Equal(first.Value, again.Value) {
			t.Error("a retry has other bytes")
		}
		shut(t, l)
		l = open(t, o)
		again := next(t, l)
		if !bytes.Equal(first.Value, again.Value) {
			t.Error("a retry after a restart has other bytes")
		}
		l.Acked(again)
		if b := next(t, l); b.First != 2 || b.Boot != first.Boot {
			t.Errorf("then %s %d..%d", b.Boot, b.First, b.Last)
		}
	})
	t.Run("bounds_of_a_batch", func(t *testing.T) {
		l := open(t, spool.Options{Dir: t.TempDir()})
		for i := range 1100 {
			request(t, l, fmt.Sprint(i))
		}
		var sizes []int64
		for _, b := range drain(t, l) {
			sizes = append(sizes, b.Last-b.First+1)
		}
		if fmt.Sprint(sizes) != "[500 500 100]" {
			t.Errorf("sizes %v", sizes)
		}
		big := string(bytes.Repeat([]byte("x"), 100<<10))
		for range 4 {
			request(t, l, big)
		}
		for _, b := range drain(t, l) {
			header, err := batch.Header(b.Value)
			if err != nil || header.GetPayloadBytes() > 256<<10 {
				t.Errorf("batch of %d bytes, error %v", header.GetPayloadBytes(), err)
			}
		}
	})
	t.Run("a_batch_waits_to_fill_but_not_for_long", func(t *testing.T) {
		l := open(t, spool.Options{Dir: t.TempDir(), Linger: 100 * time.Millisecond})
		request(t, l, "a")
		began := time.Now()
		if b := next(t, l); b.Last != 1 || time.Since(began) < 80*time.Millisecond {
			t.Errorf("%d..%d after %v", b.First, b.Last, time.Since(began))
		}
	})
	t.Run("nothing_is_lost_while_no_identity_is_there", func(t *testing.T) {
		l := open(t, spool.Options{Dir: t.TempDir(), Linger: time.Millisecond})
		request(t, l, "a")
		none := errors.New("not enrolled")
		_, err := l.Next(t.Context(), 1, func(string, []*usagev1.UsageRecord) ([]byte, error) { return nil, none })
		if !errors.Is(err, none) {
			t.Fatalf("error %v", err)
		}
		request(t, l, "b")
		if got := recordsOf(t, drain(t, l)); len(got) != 2 {
			t.Errorf("%d records", len(got))
		}
	})
	t.Run("only_fsynced_records_are_closed", func(t *testing.T) {
		l := open(t, spool.Options{Dir: t.TempDir(), FsyncEvery: time.Hour, Linger: time.Nanosecond})
		request(t, l, "a")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := l.Next(ctx, 1, func(string, []*usagev1.UsageRecord) ([]byte, error) {
			t.Error("closed a record that is not fsynced")
			return nil, nil
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestSettle(t *testing.T) {
	small := func(t *testing.T) spool.Options {
		return spool.Options{Dir: t.TempDir(), SegmentBytes: 4 << 10, MaxBytes: 1 << 20, FsyncEvery: time.Millisecond}
	}
	fill := func(t *testing.T, l *spool.Log, count int) {
		for i := range count {
			request(t, l, fmt.Sprint(i))
		}
	}
	t.Run("settled_segments_go", func(t *testing.T) {
		o := small(t)
		l := open(t, o)
		held := start(t, l, "long stream")
		fill(t, l, 500)
		before := len(segments(t, o.Dir))
		batches := drain(t, l)
		if after := len(segments(t, o.Dir)); after < before {
			t.Fatalf("segments went on an acknowledgement alone: %d, then %d", before, after)
		}
		settle(l, batches...)
		eventually(t, "one segment is left", func() bool { return len(segments(t, o.Dir)) == 1 })
		if s := l.Stats(); s.Records != 0 || s.Open != 1 {
			t.Errorf("stats %+v", s)
		}
		first := l.Boot()
		shut(t, l)
		l = open(t, o) // the open start was carried along
		got := recordsOf(t, drain(t, l))
		if len(got) != 1 || got[0].GetRequestId() != "long stream" || got[0].GetTornFrom().GetLocalId() != int64(held) || got[0].GetTornFrom().GetBoot() != first {
			t.Errorf("after a restart: %v", got)
		}
	})
	t.Run("the_oldest_unsettled_batch_holds_all_after_it", func(t *testing.T) {
		o := small(t)
		l := open(t, o)
		fill(t, l, 1200)
		batches := drain(t, l)
		settle(l, batches[1:]...)
		before := len(segments(t, o.Dir))
		settle(l, batches[0])
		eventually(t, "segments go", func() bool { return len(segments(t, o.Dir)) < before/10 })
	})
	t.Run("what_was_never_batched_is_not_believed_settled", func(t *testing.T) {
		o := small(t)
		l := open(t, o)
		fill(t, l, 100)
		l.Settle([]*agentv1.SettledRange{{Boot: l.Boot(), FirstSeq: 1, LastSeq: 1 << 40}, {Boot: "elsewhere", FirstSeq: 1, LastSeq: 9}})
		if got := recordsOf(t, drain(t, l)); len(got) != 100 {
			t.Errorf("%d records", len(got))
		}
	})
	t.Run("a_restart_sends_only_what_is_not_settled", func(t *testing.T) {
		o := small(t)
		l := open(t, o)
		fill(t, l, 1200)
		batches := drain(t, l)
		settle(l, batches[0], batches[2])
		shut(t, l)
		l = open(t, o)
		again := drain(t, l)
		if len(again) != 1 || !bytes.Equal(again[0].Value, batches[1].Value) {
			t.Errorf("%d batches sent again", len(again))
		}
		if more := drain(t, l); more != nil {
			t.Errorf("%d batches sent a third time", len(more))
		}
		if tails := l.Tails(); len(tails) != 2 || !tails[0].GetClosed() || tails[0].GetLastSeq() != 1200 {
			t.Errorf("tails %v", tails)
		}
	})
	t.Run("what_the_broker_lost_is_sent_again", func(t *testing.T) {
		now := time.Now()
		o := small(t)
		o.Now = func() time.Time { return now }
		l := open(t, o)
		fill(t, l, 1000)
		batches := drain(t, l)
		settle(l, batches[1])
		if again := drain(t, l); again != nil {
			t.Fatal("sent again at once")
		}
		now = now.Add(11 * time.Minute)
		l.Settle(nil)
		if again := drain(t, l); len(again) != 1 || again[0].First != batches[0].First {
			t.Errorf("%d batches sent again", len(again))
		}
	})
	t.Run("what_the_broker_lost_of_an_earlier_boot_is_sent_again", func(t *testing.T) {
		now := time.Now()
		o := small(t)
		o.Now = func() time.Time { return now }
		l := open(t, o)
		fill(t, l, 10)
		shut(t, l)
		l = open(t, o)
		lost := drain(t, l)
		request(t, l, "x")
		settle(l, drain(t, l)...)
		now = now.Add(11 * time.Minute)
		l.Settle(nil)
		if again := drain(t, l); len(again) != 1 || !bytes.Equal(again[0].Value, lost[0].Value) {
			t.Errorf("%d batches sent again", len(again))
		}
	})
	t.Run("the_newest_that_the_broker_lost_goes_first_and_the_others_follow", func(t *testing.T) {
		now := time.Now()
		o := small(t)
		o.Now = func() time.Time { return now }
		l := open(t, o)
		fill(t, l, 1500)
		lost := drain(t, l)
		for range 3 { // ingest may be away for long: no more than one batch goes in vain
			now = now.Add(11 * time.Minute)
			l.Settle(nil)
			again := drain(t, l)
			if len(again) != 1 || again[0].First != lost[2].First {
				t.Fatalf("%d batches sent again", len(again))
			}
			l.Settle(nil)
			if more := drain(t, l); more != nil {
				t.Fatalf("%d batches sent at once", len(more))
			}
		}
		settle(l, lost[2])
		if again := drain(t, l); len(again) != 2 || again[0].First != 1 || again[1].First != lost[1].First {
			t.Errorf("%d batches sent again", len(again))
		}
	})
	t.Run("settled_boots_are_forgotten_after_they_were_told", func(t *testing.T) {
		now := time.Now()
		o := small(t)
		o.Now = func() time.Time { return now }
		l := open(t, o)
		fill(t, l, 10)
		settle(l, drain(t, l)...)
		shut(t, l)
		l = open(t, o)
		if tails := l.Tails(); len(tails) != 2 || !tails[0].GetClosed() {
			t.Fatalf("tails %v", tails)
		}
		request(t, l, "x")
		settle(l, drain(t, l)...)
		eventually(t, "one segment is left", func() bool { return len(segments(t, o.Dir)) == 1 })
		now = now.Add(2 * time.Minute)
		l.Settle(nil)
		if tails := l.Tails(); len(tails) != 1 {
			t.Errorf("tails %v", tails)
		}
	})
}

func TestFull(t *testing.T) {
	l := open(t, spool.Options{Dir: t.TempDir(), SegmentBytes: 4 << 10, MaxBytes: 64 << 10, FsyncEvery: time.Millisecond})
	held := start(t, l, "open while it fills")
	count := 0
	for {
		id, err := l.Start(started(fmt.Sprint(count)))
		if errors.Is(err, spool.ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := l.End(id, finished(fmt.Sprint(count))); err != nil {
			t.Fatalf("end %d: %v", count, err)
		}
		count++
	}
	if err := l.Refuse(finished("refused")); !errors.Is(err, spool.ErrFull) {
		t.Errorf("refuse: %v", err)
	}
	if err := l.End(held, finished("held")); err != nil {
		t.Errorf("what had started can't end: %v", err)
	}
	batches := drain(t, l)
	if got := len(recordsOf(t, batches)); got != count+1 {
		t.Errorf("%d records, want %d", got, count+1)
	}
	if s := l.Stats(); s.Bytes > 64<<10 {
		t.Errorf("%d bytes on disk", s.Bytes)
	}
	settle(l, batches...)
	eventually(t, "there is room again", func() bool {
		id, err := l.Start(started("after"))
		return err == nil && l.End(id, finished("after")) == nil
	})
}
