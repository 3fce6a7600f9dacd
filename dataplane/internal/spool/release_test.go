package spool_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/spool"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// small is a spool of eight segments.
func small(dir string, log *slog.Logger) spool.Options {
	return spool.Options{Dir: dir, SegmentBytes: 32 << 10, MaxBytes: 256 << 10, Linger: time.Millisecond, FsyncEvery: time.Millisecond, Logger: log}
}

// fill writes requests until the spool is full, and returns how many.
func fill(t *testing.T, l *spool.Log) (n int64) {
	t.Helper()
	for ; ; n++ {
		id, err := l.Start(started(fmt.Sprint(n)))
		if errors.Is(err, spool.ErrFull) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := l.End(id, finished(fmt.Sprint(n))); err != nil {
			t.Fatal(err)
		}
	}
}

// Nobody settles and the broker acknowledges: the spool takes requests for ever, on as much
// disk as it may have, and what is settled in the end is all of it.
func TestAcknowledgedSegmentsGoWhenSpaceIsShort(t *testing.T) {
	var log strings.Builder
	o := small(t.TempDir(), slog.New(slog.NewTextHandler(&log, nil)))
	l := open(t, o)
	capacity := fill(t, l)
	if s := l.Stats(); s.Released != 0 {
		t.Fatalf("%d records went that nobody acknowledged", s.Released)
	}
	drain(t, l)
	total := capacity
	for total < 10*capacity {
		for range capacity / 20 {
			id, err := retryFull(t, l)
			if err != nil {
				t.Fatalf("after %d requests: %v", total, err)
			}
			total++
			if err := l.End(id, finished("x")); err != nil {
				t.Fatal(err)
			}
		}
		drain(t, l)
		if s := l.Stats(); s.Bytes > o.MaxBytes || s.Records != total {
			t.Fatalf("after %d requests: %+v", total, s)
		}
	}
	s := l.Stats()
	if s.Released < total-capacity || s.Released > total || !strings.Contains(log.String(), "space is short") {
		t.Errorf("%d of %d records are said to have gone", s.Released, total)
	}
	if tails := l.Tails(); len(tails) != 1 || tails[0].GetLastSeq() != total {
		t.Errorf("tails %v", tails)
	}
	l.Settle([]*agentv1.SettledRange{{Boot: l.Boot(), FirstSeq: 1, LastSeq: total}})
	if s := l.Stats(); s.Records != 0 {
		t.Errorf("%d records are not settled", s.Records)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := l.AwaitSettled(ctx); err != nil {
		t.Error(err)
	}
}

// retryFull starts a request as a client would that comes again: segments go a moment after
// the acknowledgement.
func retryFull(t *testing.T, l *spool.Log) (id uint64, err error) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if id, err = l.Start(started("x")); !errors.Is(err, spool.ErrFull) {
			return id, err
		}
	}
	return id, err
}

func TestWhatNobodyHasStays(t *testing.T) {
	o := small(t.TempDir(), nil)
	l := open(t, o)
	total := fill(t, l)
	first := next(t, l)
	l.PassOver(first)
	if second := next(t, l); second.First != first.Last+1 {
		t.Fatalf("behind one that is passed over comes %d", second.First)
	}
	drain(t, l)
	for more := fill(t, l); more > 0; more = fill(t, l) {
		total += more
		drain(t, l)
	}
	if s := l.Stats(); s.Refused != first.Last || s.Unsent != first.Last || s.Released != 0 {
		t.Errorf("of a spool whose first batch is refused: %+v", s)
	}
	if _, err := l.Start(started("x")); !errors.Is(err, spool.ErrFull) {
		t.Errorf("a full spool whose oldest batch nobody took: %v", err)
	}
	shut(t, l)
	l = open(t, o)
	if again := next(t, l); again.First != first.First || string(again.Value) != string(first.Value) {
		t.Errorf("after a restart %d..%d is sent first", again.First, again.Last)
	}
	records := int64(0)
	for _, b := range drain(t, l) {
		records += b.Last - b.First + 1
	}
	if records != total {
		t.Errorf("%d records after the restart, want %d", records, total)
	}
}

// After a restart nothing is missed of what went, and the rest is sent once more.
func TestRestartAfterSegmentsWent(t *testing.T) {
	o := small(t.TempDir(), nil)
	l := open(t, o)
	total := fill(t, l)
	drain(t, l)
	for l.Stats().Released == 0 {
		total += fill(t, l)
		drain(t, l)
	}
	gone, boot := l.Stats().Released, l.Boot()
	shut(t, l)
	l = open(t, o)
	var records int64
	for _, b := range drain(t, l) {
		if b.Boot == boot {
			records += b.Last - b.First + 1
		}
	}
	if records < total-gone || records >= total {
		t.Errorf("%d of %d records are sent again, %d went", records, total, gone)
	}
	for _, tail := range l.Tails() {
		if tail.GetBoot() == boot && (!tail.GetClosed() || tail.GetLastSeq() != total) {
			t.Errorf("tail %v, want the last of %d", tail, total)
		}
	}
	l.Settle([]*agentv1.SettledRange{{Boot: boot, FirstSeq: 1, LastSeq: total}})
	if s := l.Stats(); s.Records != 0 {
		t.Errorf("%d records are not settled", s.Records)
	}
}

// A batch whose records went is kept until it is acknowledged, also by a later start, which
// does not know that it was once.
func TestABatchOutlivesItsRecords(t *testing.T) {
	o := small(t.TempDir(), nil)
	l := open(t, o)
	fill(t, l)
	for l.Stats().Released == 0 {
		drain(t, l)
		fill(t, l)
	}
	shut(t, l)
	l = open(t, o)
	first := next(t, l)
	l.PassOver(first)
	drain(t, l)
	for range 20 { // fills it, and no more: its first batch is not taken
		fill(t, l)
		drain(t, l)
	}
	shut(t, l)
	l = open(t, o)
	if again := next(t, l); again.Boot != first.Boot || again.First != first.First || string(again.Value) != string(first.Value) {
		t.Errorf("%s %d is sent first, want %s %d, which nobody took", again.Boot, again.First, first.Boot, first.First)
	}
}
