package spool_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/disktest"
	"github.com/weirhq/weir/dataplane/internal/spool"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func forgo(t testing.TB, l *spool.Log, r *usagev1.UsageRecord) uint64 {
	t.Helper()
	id, err := l.Forgo(0, r)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// timed began at so many microseconds, and took ten.
func timed(r *usagev1.UsageRecord, at int64) *usagev1.UsageRecord {
	r.StartedAtUs, r.DurationUs = at, 10
	return r
}

// priced has attempts that cost so many nano-dollars each, with 3 and 4 tokens; negative: unpriced.
func priced(name string, costs ...int64) *usagev1.UsageRecord {
	r := finished(name)
	r.Attempts = nil
	for _, cost := range costs {
		a := &usagev1.Attempt{Outcome: usagev1.Outcome_OUTCOME_OK, Usage: &usagev1.TokenUsage{Input: 3, Reasoning: 4}}
		if cost >= 0 {
			a.CostNanoUsd = proto.Int64(cost)
		}
		r.Attempts = append(r.Attempts, a)
	}
	return r
}

// tombstones are the losses among records, and of how many others.
func tombstones(records []*usagev1.UsageRecord) (losses []*usagev1.Loss, others int) {
	for _, r := range records {
		if r.GetKind() == usagev1.Kind_KIND_TOMBSTONE {
			losses = append(losses, r.GetLoss())
		} else {
			others++
		}
	}
	return losses, others
}

// full fills a spool whose bound is small.
func full(t *testing.T, o spool.Options) (*spool.Log, int) {
	t.Helper()
	o.SegmentBytes, o.MaxBytes, o.FsyncEvery, o.RetryEvery = 8<<10, 32<<10, time.Millisecond, time.Millisecond
	l := open(t, o)
	return l, fillItself(t, l)
}

func settleAll(l *spool.Log, batches []spool.Batch) {
	for _, b := range batches {
		l.Settle([]*agentv1.SettledRange{{Boot: b.Boot, FirstSeq: b.First, LastSeq: b.Last}})
	}
}

func TestForgone(t *testing.T) {
	dir := t.TempDir()
	l, recorded := full(t, spool.Options{Dir: dir})
	copied := timed(started("b"), 900)
	copied.Kind = usagev1.Kind_KIND_SHADOW
	a, b := forgo(t, l, timed(started("a"), 1000)), forgo(t, l, copied)
	if err := l.Again(a, again("a")); err != nil {
		t.Fatal(err)
	}
	want := spool.Tombstone{Requests: 1, Shadows: 1, Attempts: 3, UnpricedAttempts: 3}
	got := l.Stats().Tombstone
	got.Age = 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("while they go on: %s", diff)
	}
	if err := l.End(a, timed(priced("a", 5, -1), 1000)); err != nil {
		t.Fatal(err)
	}
	if err := l.End(a, finished("a")); !errors.Is(err, spool.ErrNotOpen) {
		t.Errorf("ended twice: %v", err)
	}
	batches := drain(t, l)
	settleAll(l, batches) // room: what ended becomes a record, what goes on fills the next
	eventually(t, "it is recorded", func() bool { return l.Stats().Tombstone.Requests == 0 })
	copied = timed(priced("b", 7), 900)
	copied.Kind = usagev1.Kind_KIND_SHADOW
	if err := l.End(b, copied); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other is, too", func() bool { return l.Stats().Tombstone.Shadows == 0 })
	records := recordsOf(t, append(batches, drain(t, l)...))[recorded:]
	first, second := &usagev1.UsageRecord{
		Kind: usagev1.Kind_KIND_TOMBSTONE, Seq: int64(recorded + 1), StartedAtUs: 900, DurationUs: 110,
		Loss: &usagev1.Loss{Requests: 1, Attempts: 2, UnpricedAttempts: 1, CostNanoUsd: 5, Usage: &usagev1.TokenUsage{Input: 6, Reasoning: 8}},
	}, &usagev1.UsageRecord{
		Kind: usagev1.Kind_KIND_TOMBSTONE, Seq: int64(recorded + 2), StartedAtUs: 900, DurationUs: 10,
		Loss: &usagev1.Loss{Shadows: 1, Attempts: 1, CostNanoUsd: 7, Usage: &usagev1.TokenUsage{Input: 3, Reasoning: 4}},
	}
	first.StartedAtUs, first.DurationUs = 1000, 10
	if diff := cmp.Diff([]*usagev1.UsageRecord{first, second}, records, protocmp.Transform(), protocmp.IgnoreFields(first, "request_id")); diff != "" {
		t.Error(diff)
	}
	shut(t, l)
	after := open(t, spool.Options{Dir: dir})
	if s := after.Stats(); s.Tombstone != (spool.Tombstone{}) || s.Damaged != 0 {
		t.Errorf("the next boot has %+v", s)
	}
	for _, r := range recordsOf(t, drain(t, after)) { // what is not settled
		if r.GetRequestId() != records[0].GetRequestId() && r.GetRequestId() != records[1].GetRequestId() {
			t.Errorf("it has %v", r)
		}
	}
}

// Killed while it is full, each request counts once: what had no end counts without a price.
func TestForgoneAndKilled(t *testing.T) {
	dir := t.TempDir()
	l, recorded := full(t, spool.Options{Dir: dir})
	ended, going := forgo(t, l, started("ended")), forgo(t, l, started("going"))
	if err := l.End(ended, priced("ended", 5)); err != nil {
		t.Fatal(err)
	}
	killed := copyDir(t, dir)
	for range 2 { // and killed again
		l := open(t, spool.Options{Dir: killed, MaxBytes: 64 << 20})
		losses, others := tombstones(recordsOf(t, drain(t, l)))
		want := []*usagev1.Loss{{Requests: 2, Attempts: 2, UnpricedAttempts: 1, CostNanoUsd: 5, Usage: &usagev1.TokenUsage{Input: 3, Reasoning: 4}}}
		if diff := cmp.Diff(want, losses, protocmp.Transform()); diff != "" || others != recorded {
			t.Errorf("%d of %d records, lost %s", others, recorded, diff)
		}
		shut(t, l)
	}
	if err := l.End(going, priced("going", 7)); err != nil {
		t.Error(err)
	}
}

// Another attempt of a request that has a start counts only where its end is lost.
func TestForgoneAttempt(t *testing.T) {
	dir := t.TempDir()
	o := spool.Options{Dir: dir, SegmentBytes: 8 << 10, MaxBytes: 32 << 10, FsyncEvery: time.Millisecond, RetryEvery: time.Millisecond}
	l := open(t, o)
	whole, lost := start(t, l, "whole"), start(t, l, "lost")
	fillItself(t, l)
	for _, id := range []uint64{whole, lost} {
		if err := l.Again(id, again("x")); !errors.Is(err, spool.ErrFull) {
			t.Fatalf("another attempt: %v", err)
		}
		if got, err := l.Forgo(id, again("x")); err != nil || got != id {
			t.Fatalf("forgo it: %d, %v", got, err)
		}
	}
	if _, err := l.Forgo(whole+99, again("x")); !errors.Is(err, spool.ErrNotOpen) {
		t.Errorf("of a request that is not: %v", err)
	}
	if err := l.End(whole, again("whole")); err != nil {
		t.Fatal(err)
	}
	killed := copyDir(t, dir)
	next := open(t, spool.Options{Dir: killed})
	losses, _ := tombstones(recordsOf(t, drain(t, next)))
	want := []*usagev1.Loss{{Attempts: 1, UnpricedAttempts: 1, Usage: &usagev1.TokenUsage{}}}
	if diff := cmp.Diff(want, losses, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

// The end of a boot counts what goes on as lost, and says that the boot is closed only when
// its record has a number.
func TestForgoneAndRetired(t *testing.T) {
	l, recorded := full(t, spool.Options{Dir: t.TempDir()})
	id := forgo(t, l, started("going"))
	if err := l.Retire(t.Context()); !errors.Is(err, spool.ErrFull) {
		t.Fatalf("retired while it owes a record: %v", err)
	}
	if tails := l.Tails(); tails[len(tails)-1].GetClosed() {
		t.Errorf("closed while it owes a record: %v", tails)
	}
	if _, err := l.Forgo(0, started("late")); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("begun after the end: %v", err)
	}
	batches := drain(t, l)
	settleAll(l, batches)
	eventually(t, "the boot is closed", func() bool { tails := l.Tails(); return tails[len(tails)-1].GetClosed() })
	if err := l.Retire(t.Context()); err != nil {
		t.Errorf("once it is recorded: %v", err)
	}
	if tails := l.Tails(); tails[len(tails)-1].GetLastSeq() != int64(recorded)+1 {
		t.Errorf("%d records, %v", recorded, tails)
	}
	if err := l.End(id, finished("going")); !errors.Is(err, spool.ErrNotOpen) {
		t.Errorf("ended after the end: %v", err)
	}
	losses, _ := tombstones(recordsOf(t, append(batches, drain(t, l)...)))
	if len(losses) != 1 || losses[0].GetRequests() != 1 || losses[0].GetUnpricedAttempts() != 1 {
		t.Errorf("lost %v", losses)
	}
}

func TestForgoneOnAFullDisk(t *testing.T) {
	disktest.Run(t, 1<<20, func(t *testing.T, disk *disktest.Disk) {
		o := spool.Options{Dir: filepath.Join(disk.Path, "spool"), SegmentBytes: 64 << 10, MaxBytes: 64 << 20, RetryEvery: time.Millisecond, FsyncEvery: time.Millisecond}
		l := open(t, o)
		disk.Fill()
		recorded := fillItself(t, l)
		const count = 500
		for i := range count {
			if _, err := l.Start(started("x")); !errors.Is(err, spool.ErrFull) {
				t.Fatal(err)
			}
			if err := l.End(forgo(t, l, timed(started("x"), int64(i+1))), timed(priced("x", 2), int64(i+1))); err != nil {
				t.Fatal(err)
			}
			if i == count/2 { // killed, and started again, with no byte to spare
				shut(t, l)
				l = open(t, o)
				_ = refuseUntilFull(t, l)
			}
		}
		if s := l.Stats(); s.Tombstone.Requests != count || s.Tombstone.CostNanoUSD != 2*count || s.ForgoneRequests != count-count/2-1 {
			t.Errorf("%+v", s)
		}
		disk.Free()
		eventually(t, "it is recorded", func() bool { return l.Stats().Tombstone.Requests == 0 })
		losses, others := tombstones(recordsOf(t, drain(t, l)))
		if len(losses) != 1 || losses[0].GetRequests() != count || losses[0].GetCostNanoUsd() != 2*count || others < recorded {
			t.Errorf("%d of %d records, lost %v", others, recorded, losses)
		}
	})
}

// Without a tombstone nothing is served without a record; it is made when there is room.
func TestNoRoomForATombstone(t *testing.T) {
	disktest.Run(t, 1<<20, func(t *testing.T, disk *disktest.Disk) {
		o := spool.Options{Dir: filepath.Join(disk.Path, "spool"), SegmentBytes: 64 << 10, MaxBytes: 64 << 20, RetryEvery: time.Millisecond, FsyncEvery: time.Millisecond}
		disk.Fill()
		disk.Spare(68 << 10) // the first segment, and no more
		l := open(t, o)
		if _, err := l.Forgo(0, started("x")); !errors.Is(err, spool.ErrFull) || l.Forgoes() == nil {
			t.Fatalf("forgone: %v", err)
		}
		disk.Free()
		eventually(t, "there is one", func() bool { return l.Forgoes() == nil })
		forgo(t, l, started("x"))
	})
}

// The end of a boot writes a request that is open as its start says; attempts that the start
// does not have are in the tombstone, once, also where a kill comes after that.
func TestForgoneAttemptAndRetired(t *testing.T) {
	dir := t.TempDir()
	l := open(t, spool.Options{Dir: dir, FsyncEvery: time.Millisecond})
	id := start(t, l, "going")
	if _, err := l.Forgo(id, again("going")); err != nil { // as if Again had found no room
		t.Fatal(err)
	}
	if err := l.Retire(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]*spool.Log{"stopped": l, "killed then": open(t, spool.Options{Dir: copyDir(t, dir)})} {
		losses, others := tombstones(recordsOf(t, drain(t, l)))
		want := []*usagev1.Loss{{Attempts: 1, UnpricedAttempts: 1, Usage: &usagev1.TokenUsage{}}}
		if diff := cmp.Diff(want, losses, protocmp.Transform()); diff != "" || others != 1 {
			t.Errorf("%s: %d others, lost %s", name, others, diff)
		}
	}
}

func TestForgoneAndClosed(t *testing.T) {
	l := open(t, spool.Options{Dir: t.TempDir()})
	id := forgo(t, l, started("x"))
	shut(t, l)
	if err := l.Again(id, again("x")); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("another attempt: %v", err)
	}
	if err := l.End(id, finished("x")); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("its end: %v", err)
	}
}
