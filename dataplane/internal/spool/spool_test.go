package spool_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/spool"
	"github.com/weirhq/weir/proto/contract/batch"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

func closeBatch(boot string, records []*usagev1.UsageRecord) ([]byte, error) {
	return batch.Close("agent-1", boot, records, time.Now(), key)
}

func publicKey(*usagev1.BatchHeader) (ed25519.PublicKey, error) {
	return key.Public().(ed25519.PublicKey), nil
}

func started(name string) *usagev1.UsageRecord {
	return &usagev1.UsageRecord{RequestId: name, Route: "fast", Attempts: []*usagev1.Attempt{{Provider: "openai", Usage: &usagev1.TokenUsage{Output: 4096}}}}
}

func finished(name string) *usagev1.UsageRecord {
	r := started(name)
	r.Outcome, r.Status = usagev1.Outcome_OUTCOME_OK, 200
	return r
}

func open(t testing.TB, o spool.Options) *spool.Log {
	t.Helper()
	l, err := spool.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, l) })
	return l
}

func shut(t testing.TB, l *spool.Log) {
	t.Helper()
	if err := l.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

func start(t testing.TB, l *spool.Log, name string) uint64 {
	t.Helper()
	id, err := l.Start(started(name))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func request(t testing.TB, l *spool.Log, name string) {
	t.Helper()
	if err := l.End(start(t, l, name), finished(name)); err != nil {
		t.Fatal(err)
	}
}

// drain flushes all that is there and acknowledges it.
func drain(t testing.TB, l *spool.Log) []spool.Batch {
	t.Helper()
	var all []spool.Batch
	for {
		some, err := l.Flush(context.Background(), 3, closeBatch)
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			return all
		}
		l.Acked(some...)
		all = append(all, some...)
	}
}

func recordsOf(t testing.TB, batches []spool.Batch) []*usagev1.UsageRecord {
	t.Helper()
	var all []*usagev1.UsageRecord
	for _, b := range batches {
		header, records, err := batch.Open(b.Value, publicKey)
		if err != nil {
			t.Fatal(err)
		}
		if header.GetBoot() != b.Boot || header.GetFirstSeq() != b.First || header.GetLastSeq() != b.Last {
			t.Fatalf("batch %s %d..%d holds %v", b.Boot, b.First, b.Last, header)
		}
		all = append(all, records...)
	}
	return all
}

func settle(l *spool.Log, batches ...spool.Batch) {
	for _, b := range batches {
		l.Settle([]*agentv1.SettledRange{{Boot: b.Boot, FirstSeq: b.First, LastSeq: b.Last}})
	}
}

func segments(t testing.TB, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.spool"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

func TestLog(t *testing.T) {
	t.Run("numbers_in_completion_order", func(t *testing.T) {
		l := open(t, spool.Options{Dir: t.TempDir()})
		a, b := start(t, l, "a"), start(t, l, "b")
		if err := l.End(b, finished("b")); err != nil {
			t.Fatal(err)
		}
		if err := l.Refuse(&usagev1.UsageRecord{RequestId: "r", Outcome: usagev1.Outcome_OUTCOME_REFUSED}); err != nil {
			t.Fatal(err)
		}
		last := finished("a")
		if err := l.End(a, last); err != nil {
			t.Fatal(err)
		}
		if last.GetSeq() != 3 {
			t.Errorf("seq %d", last.GetSeq())
		}
		var got []string
		for _, r := range recordsOf(t, drain(t, l)) {
			got = append(got, fmt.Sprint(r.GetRequestId(), r.GetSeq()))
		}
		if diff := cmp.Diff([]string{"b1", "r2", "a3"}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("an_end_counts_once", func(t *testing.T) {
		l := open(t, spool.Options{Dir: t.TempDir()})
		id := start(t, l, "a")
		if err := l.End(id, finished("a")); err != nil {
			t.Fatal(err)
		}
		if err := l.End(id, finished("a")); !errors.Is(err, spool.ErrNotOpen) {
			t.Errorf("second end: %v", err)
		}
		if err := l.End(99, finished("x")); !errors.Is(err, spool.ErrNotOpen) {
			t.Errorf("unknown end: %v", err)
		}
		if n := len(recordsOf(t, drain(t, l))); n != 1 {
			t.Errorf("%d records", n)
		}
	})
	t.Run("torn_requests_become_records_of_the_next_boot", func(t *testing.T) {
		o := spool.Options{Dir: t.TempDir()}
		l := open(t, o)
		first, id := l.Boot(), start(t, l, "torn")
		request(t, l, "whole")
		shut(t, l)
		l = open(t, o)
		got := recordsOf(t, drain(t, l))
		want := started("torn")
		want.Seq, want.Outcome = 1, usagev1.Outcome_OUTCOME_INTERRUPTED
		want.TornFrom = &usagev1.TornFrom{Boot: first, LocalId: int64(id)}
		want.Attempts[0].Outcome = usagev1.Outcome_OUTCOME_INTERRUPTED
		want.Attempts[0].UsageSource = usagev1.UsageSource_USAGE_SOURCE_ESTIMATED
		whole := finished("whole")
		whole.Seq = 1
		if diff := cmp.Diff([]*usagev1.UsageRecord{whole, want}, got, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
		shut(t, l)
		l = open(t, o)
		if n := len(recordsOf(t, drain(t, l))); n != 2 {
			t.Errorf("%d records after another restart", n)
		}
	})
	t.Run("boots_count_up_and_never_repeat", func(t *testing.T) {
		o := spool.Options{Dir: t.TempDir()}
		for i := range 3 {
			l := open(t, o)
			if !strings.HasPrefix(l.Boot(), fmt.Sprintf("%08x-", i+1)) || len(l.Boot()) != 25 {
				t.Errorf("boot %s", l.Boot())
			}
			shut(t, l)
		}
	})
	t.Run("a_second_process_is_told_who_holds_the_folder", func(t *testing.T) {
		o := spool.Options{Dir: t.TempDir()}
		open(t, o)
		_, err := spool.Open(o)
		if !errors.Is(err, spool.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("pid %d", os.Getpid())) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("calls_after_close", func(t *testing.T) {
		l := open(t, spool.Options{Dir: t.TempDir()})
		request(t, l, "a")
		shut(t, l)
		if _, err := l.Start(started("b")); !errors.Is(err, spool.ErrClosed) {
			t.Errorf("start: %v", err)
		}
		if _, err := l.Next(t.Context(), 1, closeBatch); !errors.Is(err, spool.ErrClosed) {
			t.Errorf("next: %v", err)
		}
	})
	t.Run("a_record_beyond_the_bound", func(t *testing.T) {
		l := open(t, spool.Options{Dir: t.TempDir()})
		if _, err := l.Start(started(strings.Repeat("x", 200<<10))); !errors.Is(err, spool.ErrTooLarge) {
			t.Errorf("error %v", err)
		}
	})
}

func TestTails(t *testing.T) {
	o := spool.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), FsyncEvery: time.Hour}
	l := open(t, o)
	for i := range 5 {
		request(t, l, fmt.Sprint(i))
	}
	if got := l.Tails()[0].GetLastSeq(); got != 0 {
		t.Fatalf("number %d is told before it is fsynced", got)
	}
	first := l.Boot()
	shut(t, l)
	l = open(t, o)
	want := []*agentv1.BootTail{{Boot: first, LastSeq: 5, Closed: true}, {Boot: l.Boot()}}
	if diff := cmp.Diff(want, l.Tails(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}
