package spool_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/quota"
	"github.com/weirhq/weir/dataplane/internal/spool"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var (
	_ quota.Disk = (*spool.Log)(nil)

	monthly = uuid.MustParse("0b5a7f3e-0000-4000-8000-000000000001")
	each    = uuid.MustParse("0b5a7f3e-0000-4000-8000-000000000002")
)

// charging adds to a record what it takes of a month's budget.
func charging(r *usagev1.UsageRecord, amount int64) *usagev1.UsageRecord {
	return chargingOf(r, "2026-11", amount)
}

func chargingOf(r *usagev1.UsageRecord, window string, amount int64) *usagev1.UsageRecord {
	r.Charges = append(r.Charges, &usagev1.Charge{QuotaId: monthly[:], Window: window, Amount: amount})
	return r
}

func startCharging(t testing.TB, l *spool.Log, name string, most int64) uint64 {
	t.Helper()
	id, err := l.Start(charging(started(name), most))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func endCharging(t testing.TB, l *spool.Log, id uint64, name string, amount int64) {
	t.Helper()
	if err := l.End(id, charging(finished(name), amount)); err != nil {
		t.Fatal(err)
	}
}

func holding(boot, window string, spent int64, closed bool) *agentv1.Holding {
	return &agentv1.Holding{QuotaId: monthly.String(), Window: window, Boot: boot, Spent: spent, Closed: closed}
}

func expectCharged(t testing.TB, l *spool.Log, wholly bool, want ...*agentv1.Holding) {
	t.Helper()
	got, whole := l.Charged()
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || whole != wholly {
		t.Errorf("whole: %v, %s", whole, diff)
	}
}

// killed is a copy of a folder as a kill now would leave it.
func killed(t *testing.T, o spool.Options) spool.Options {
	t.Helper()
	for range 10 {
		to := t.TempDir()
		err := os.CopyFS(to, os.DirFS(o.Dir))
		if err == nil {
			o.Dir = to
			return o
		}
		if !errors.Is(err, fs.ErrNotExist) { // else a segment went meanwhile
			t.Fatal(err)
		}
	}
	t.Fatal("segments go and go")
	return o
}

func TestCharged(t *testing.T) {
	small := spool.Options{SegmentBytes: 2 << 10, MaxBytes: 64 << 20, FsyncEvery: time.Millisecond}
	options := func(t *testing.T) spool.Options {
		o := small
		o.Dir = t.TempDir()
		return o
	}
	t.Run("what_ended_and_what_was_torn", func(t *testing.T) {
		o := options(t)
		l := open(t, o)
		expectCharged(t, l, true)
		for i := range 50 {
			id := startCharging(t, l, fmt.Sprint(i), 10)
			if i%10 != 3 { // five stay open
				endCharging(t, l, id, fmt.Sprint(i), 2)
			}
		}
		if err := l.Refuse(charging(finished("refused"), 1)); err != nil {
			t.Fatal(err)
		}
		expectCharged(t, l, true)
		first := l.Boot()
		for range 3 { // and killed again, with records settled and segments gone
			o = killed(t, o)
			l = open(t, o)
			expectCharged(t, l, true, holding(first, "2026-11", 45*2+5*10+1, true))
			settleAll(l, drain(t, l))
			eventually(t, "segments go", func() bool { return len(segments(t, o.Dir)) <= 2 })
		}
	})
	t.Run("the_last_attempt_of_a_torn_request_counts", func(t *testing.T) {
		o := options(t)
		l := open(t, o)
		id := startCharging(t, l, "a", 10)
		if err := l.Again(id, charging(again("a"), 25)); err != nil {
			t.Fatal(err)
		}
		first := l.Boot()
		l = open(t, killed(t, o))
		expectCharged(t, l, true, holding(first, "2026-11", 25, true))
	})
	t.Run("each_boot_window_and_subject_apart", func(t *testing.T) {
		o := options(t)
		l := open(t, o)
		first := l.Boot()
		r := chargingOf(chargingOf(started("a"), "2026-11", 5), "2026-12", 7)
		r.Charges = append(r.Charges, &usagev1.Charge{QuotaId: each[:], Subject: "h1.a", Window: "day", Amount: 9}, &usagev1.Charge{QuotaId: []byte("?"), Amount: 1})
		if _, err := l.Start(r); err != nil {
			t.Fatal(err)
		}
		o = killed(t, o)
		l = open(t, o)
		want := []*agentv1.Holding{
			holding(first, "2026-11", 5, true), holding(first, "2026-12", 7, true),
			{QuotaId: each.String(), Subject: "h1.a", Window: "day", Boot: first, Spent: 9, Closed: true},
		}
		expectCharged(t, l, true, want...)
		endCharging(t, l, startCharging(t, l, "b", 4), "b", 4)
		expectCharged(t, l, true, want...)
		second := l.Boot()
		expectCharged(t, open(t, killed(t, o)), true, append(want, holding(second, "2026-11", 4, true))...)
	})
	t.Run("what_is_forgotten_stays_so_once_a_segment_began", func(t *testing.T) {
		o := options(t)
		l := open(t, o)
		endCharging(t, l, startCharging(t, l, "a", 10), "a", 3)
		first := l.Boot()
		o = killed(t, o)
		l = open(t, o)
		second := l.Boot()
		totals, _ := l.Charged()
		l.ForgetCharges(totals)
		expectCharged(t, l, true)
		early := open(t, killed(t, o))
		expectCharged(t, early, true, holding(first, "2026-11", 3, true))
		for i := range 30 { // other segments
			id, err := l.Start(chargingOf(started(fmt.Sprint(i)), "now", 2))
			if err == nil {
				err = l.End(id, chargingOf(finished(fmt.Sprint(i)), "now", 1))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		l.ForgetCharges([]*agentv1.Holding{holding("", "over", 1, true)})
		late := open(t, killed(t, o))
		expectCharged(t, late, true, holding(second, "now", 30, true))
		l.ForgetCharges([]*agentv1.Holding{holding("", "now", 30, true)})
		for i := range 30 {
			request(t, l, fmt.Sprint("other ", i))
		}
		expectCharged(t, open(t, killed(t, o)), true)
	})
	t.Run("what_was_forgotten_is_recalled_before_more_is_spent", func(t *testing.T) {
		o := options(t)
		l := open(t, o)
		first := l.Boot()
		endCharging(t, l, startCharging(t, l, "a", 10), "a", 3)
		l.ForgetCharges([]*agentv1.Holding{holding("", "2026-11", 3, true)})
		for began := range 2 { // before another segment begins, and after
			if err := l.RecallCharges([]*agentv1.Holding{holding("", "2026-11", 3, false)}); err != nil {
				t.Fatal(err)
			}
			expectCharged(t, open(t, killed(t, o)), true, holding(first, "2026-11", 3, true))
			if began == 1 {
				break
			}
			l.ForgetCharges([]*agentv1.Holding{holding("", "2026-11", 3, true)})
			for i := range 30 {
				request(t, l, fmt.Sprint("other ", i))
			}
			expectCharged(t, open(t, killed(t, o)), true)
		}
		endCharging(t, l, startCharging(t, l, "b", 10), "b", 4)
		expectCharged(t, open(t, killed(t, o)), true, holding(first, "2026-11", 7, true))
		for i := range 30 {
			request(t, l, fmt.Sprint("more ", i))
		}
		expectCharged(t, open(t, killed(t, o)), true, holding(first, "2026-11", 7, true))
	})
	t.Run("a_retired_boot_has_what_was_cut", func(t *testing.T) {
		o := options(t)
		l := open(t, o)
		startCharging(t, l, "cut", 10)
		endCharging(t, l, startCharging(t, l, "a", 10), "a", 3)
		first := l.Boot()
		if err := l.Retire(t.Context()); err != nil {
			t.Fatal(err)
		}
		expectCharged(t, open(t, killed(t, o)), true, holding(first, "2026-11", 13, true))
	})
	t.Run("more_than_one_frame_has_room_for", func(t *testing.T) {
		o := options(t)
		o.SegmentBytes = 64 << 10
		l := open(t, o)
		const count = 4000
		for i := range count {
			r := started("x")
			r.Charges = []*usagev1.Charge{{QuotaId: each[:], Subject: fmt.Sprintf("h1.%040d", i), Window: "2026-11-27T00:00:00Z", Amount: int64(i + 1)}}
			if err := l.Refuse(r); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			o = killed(t, o)
			l = open(t, o)
			totals, whole := l.Charged()
			sum := int64(0)
			for _, h := range totals {
				sum += h.GetSpent()
			}
			if len(totals) != count || sum != count*(count+1)/2 || !whole {
				t.Errorf("%d totals of %d, whole: %v", len(totals), sum, whole)
			}
			settleAll(l, drain(t, l))
			eventually(t, "segments go", func() bool { return len(segments(t, o.Dir)) <= 2 })
		}
	})
}

// What was served without a record is charged as well.
func TestForgoneCharges(t *testing.T) {
	t.Run("by_the_record_of_the_tombstone", func(t *testing.T) {
		dir := t.TempDir()
		l, _ := full(t, spool.Options{Dir: dir})
		first := l.Boot()
		a, b := forgo(t, l, charging(started("a"), 10)), forgo(t, l, charging(started("b"), 10))
		if err := l.Again(b, charging(again("b"), 20)); err != nil {
			t.Fatal(err)
		}
		if err := l.End(a, charging(priced("a", 5), 4)); err != nil {
			t.Fatal(err)
		}
		batches := drain(t, l)
		settleAll(l, batches)
		eventually(t, "the first is recorded", func() bool { return l.Stats().Tombstone.Attempts == 2 })
		if err := l.End(b, charging(priced("b", 5), 3)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the other is recorded", func() bool { return l.Stats().Tombstone == (spool.Tombstone{}) })
		losses := 0
		for _, r := range recordsOf(t, drain(t, l)) {
			if r.GetLoss() != nil {
				losses++
				if c := r.GetCharges(); len(c) != 1 || c[0].GetAmount() != 4 && c[0].GetAmount() != 3 {
					t.Errorf("the tombstone charges %v", c)
				}
			}
		}
		if losses == 0 {
			t.Error("no tombstone is sent")
		}
		after := open(t, spool.Options{Dir: copyDir(t, dir)})
		expectCharged(t, after, true, holding(first, "2026-11", 7, true))
	})
	t.Run("killed_before_it_the_boot_is_not_closed", func(t *testing.T) {
		dir := t.TempDir()
		l, _ := full(t, spool.Options{Dir: dir})
		id := forgo(t, l, charging(started("a"), 10))
		o := spool.Options{Dir: dir, MaxBytes: 64 << 20}
		going := killed(t, o)
		if err := l.End(id, charging(priced("a", 5), 4)); err != nil {
			t.Fatal(err)
		}
		for _, o := range []spool.Options{going, killed(t, o)} {
			l := open(t, o)
			second := l.Boot()
			endCharging(t, l, startCharging(t, l, "b", 10), "b", 2)
			expectCharged(t, l, false)
			settleAll(l, drain(t, l))
			eventually(t, "the tombstone is a record", func() bool { return l.Stats().Tombstone == (spool.Tombstone{}) })
			l = open(t, killed(t, o))
			expectCharged(t, l, false, holding(second, "2026-11", 2, true))
		}
	})
	t.Run("an_attempt_without_a_record", func(t *testing.T) {
		dir := t.TempDir()
		o := spool.Options{Dir: dir, SegmentBytes: 8 << 10, MaxBytes: 32 << 10, FsyncEvery: time.Millisecond, RetryEvery: time.Millisecond}
		l := open(t, o)
		first := l.Boot()
		id := startCharging(t, l, "a", 10)
		fillItself(t, l)
		if _, err := l.Forgo(id, charging(again("a"), 20)); err != nil {
			t.Fatal(err)
		}
		o.MaxBytes = 64 << 20
		expectCharged(t, open(t, killed(t, o)), false, holding(first, "2026-11", 10, false))
		if err := l.End(id, charging(again("a"), 15)); err != nil {
			t.Fatal(err)
		}
		expectCharged(t, open(t, killed(t, o)), true, holding(first, "2026-11", 15, true))
	})
	t.Run("of_no_more_windows_than_its_record_holds", func(t *testing.T) {
		l, _ := full(t, spool.Options{Dir: t.TempDir()})
		n := 0
		for ; n < 1000; n++ {
			if _, err := l.Forgo(0, chargingOf(started("x"), fmt.Sprint(n), 1)); err != nil {
				break
			}
		}
		if n != 300 {
			t.Errorf("%d windows", n)
		}
		forgo(t, l, chargingOf(started("x"), "7", 1))
	})
}
