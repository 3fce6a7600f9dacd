package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func record(costs ...int64) *usagev1.UsageRecord {
	r := &usagev1.UsageRecord{RequestId: "r", StartedAtUs: 1}
	for _, c := range costs {
		r.Attempts = append(r.Attempts, &usagev1.Attempt{CostNanoUsd: proto.Int64(c)})
	}
	return r
}

// counted is what a folder adds up to when it is opened: of tombstones that became
// records, in whichever boot, and of the one that is there.
func counted(t *testing.T, dir string) (sums sum) {
	t.Helper()
	l, err := Open(Options{Dir: dir, FsyncEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	sums = l.tombstone.filling().sum
	if l.tombstone.spent != (stone{}) && l.tombstone.in == nil {
		t.Error("a stone waits for a record that nobody will write")
	}
	l.mu.Unlock()
	seen := map[string]bool{}
	for _, s := range l.segments {
		data, err := s.load(0, s.size)
		if err != nil {
			t.Fatal(err)
		}
		scan(data, s.seed, 0, true, func(_ int64, kind byte, payload []byte) bool {
			if kind != frameEnd {
				return true
			}
			e, err := decodeEnd(payload)
			if err != nil || e.decode() != nil {
				t.Fatal(err)
			}
			if loss := e.record.GetLoss(); loss != nil && !seen[e.record.GetRequestId()] {
				seen[e.record.GetRequestId()] = true
				sums = sums.plus(sum{requests: loss.GetRequests(), attempts: loss.GetAttempts(), unpriced: loss.GetUnpricedAttempts(), cost: loss.GetCostNanoUsd()})
			} else if loss != nil {
				t.Error("one stone has two records")
			}
			return true
		}, func(loss) {})
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sums
}

// Between any two writes that make a record of a tombstone, a kill neither loses nor
// doubles what it counts; nor does one of the boot that finds it.
func TestBury_killed_between_writes(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(Options{Dir: dir, FsyncEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	step := func(name string, do func() error) {
		t.Helper()
		l.mu.Lock()
		err := do()
		copied := t.TempDir()
		if err == nil {
			err = os.CopyFS(copied, os.DirFS(dir))
		}
		l.mu.Unlock()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for boot := range 2 {
			got := counted(t, copied)
			if got.requests != 2 || got.attempts != 3 || got.unpriced != 1 || got.cost != 12 {
				t.Errorf("%s, boot %d: %+v", name, boot, got)
			}
		}
	}
	ended, err := l.Forgo(0, record(0))
	if err == nil {
		_, err = l.Forgo(0, record(0)) // goes on
	}
	if err == nil {
		err = l.End(ended, record(5, 7))
	}
	if err != nil {
		t.Fatal(err)
	}
	step("before", func() error { return nil })
	step("the slot says what is spent", func() error { return l.tombstone.spend(l.boot, false) })
	step("the record is written", l.bury)
	if l.tombstone.in == nil {
		t.Fatal("it is not")
	}
	l.sync()
	step("the record is durable, and the slot emptied", func() error { return nil })
	if l.tombstone.spent != (stone{}) {
		t.Error("it is not")
	}
	if l.tombstone.clean {
		t.Error("segments may go before the emptied slot is durable")
	}
	if l.sync(); !l.tombstone.clean {
		t.Error("segments may not go")
	}
	step("all is durable", func() error { return nil })
	l.mu.Lock()
	l.tombstone.clean = false // the emptied slot is not durable yet
	l.tombstone.now = stone{uuid.New(), sum{attempts: 1}}
	if err := l.tombstone.spend(l.boot, false); err != nil {
		t.Error(err)
	}
	l.mu.Unlock()
	if l.sync(); !l.tombstone.clean {
		t.Error("segments may not go for a stone that is in none of them")
	}
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// The end of a boot is killed after the slot has the attempts that a start does not have.
func TestRetire_killed_before_an_end(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(Options{Dir: dir, FsyncEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	begun := record(0)
	id, err := l.Start(begun)
	if err == nil {
		_, err = l.Forgo(id, record(0, 0, 0))
	}
	l.mu.Lock()
	err = errors.Join(err, l.loseBeyond(id, begun))
	copied := t.TempDir()
	err = errors.Join(err, os.CopyFS(copied, os.DirFS(dir)))
	l.mu.Unlock()
	if err := errors.Join(err, l.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	for boot := range 2 {
		if got := counted(t, copied); got.attempts != 2 || got.unpriced != 2 || got.requests != 0 {
			t.Errorf("boot %d: %+v", boot, got)
		}
	}
}

// A tombstone that can't be written is put back as it was while an fsync of it goes on.
func TestSync_while_the_tombstone_is_put_back(t *testing.T) {
	l, err := Open(Options{Dir: t.TempDir(), FsyncEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	slots := l.tombstone.slots
	writable := slots.file
	slots.file, err = os.Open(slots.path)
	l.mu.Unlock()
	if err := errors.Join(err, writable.Close()); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(func() {
		for range 200 {
			if _, err := l.Forgo(0, record(0)); err == nil {
				t.Error("it is written")
			}
		}
	})
	for range 200 {
		l.mu.Lock()
		slots.dirty = true
		l.mu.Unlock()
		l.sync()
	}
	group.Wait()
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A tombstone that can't be written is told once, and tried again at the pace of a full disk.
func TestTombstone_said_once(t *testing.T) {
	var said strings.Builder
	l, err := Open(Options{
		Dir: t.TempDir(), FsyncEvery: time.Millisecond, RetryEvery: 10 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&said, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]uint64, 20)
	for i := range ids {
		if ids[i], err = l.Forgo(0, record(0)); err != nil {
			t.Fatal(err)
		}
	}
	l.mu.Lock()
	slots := l.tombstone.slots
	writable := slots.file
	slots.file, err = os.Open(slots.path)
	l.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if err := l.End(id, record(1)); err != nil {
			t.Error(err)
		}
	}
	time.Sleep(50 * time.Millisecond) // some tries
	if err := errors.Join(l.Close(t.Context()), writable.Close()); err != nil {
		t.Error(err)
	}
	if n := strings.Count(said.String(), "level=ERROR"); n != 1 {
		t.Errorf("it is said %d times: %.1000s", n, said.String())
	}
}

// A torn update leaves the one before it; so does an fsync that the power cut ends, whatever
// it made of the places that it was to write.
func TestSlots_torn(t *testing.T) {
	dir := t.TempDir()
	s, _, err := openSlots(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	write := func(n byte) {
		t.Helper()
		if err := s.write(append(make([]byte, slotHead), n, n, n)); err != nil {
			t.Fatal(err)
		}
	}
	sync := func() {
		if s.freeze() {
			s.thaw()
		}
	}
	expect := func(what string, torn []int, want byte) {
		t.Helper()
		copied := t.TempDir()
		data, err := os.ReadFile(s.path)
		for _, place := range torn {
			copy(data[place*slotBytes:], "torn torn torn torn torn")
		}
		if err == nil {
			err = os.WriteFile(copied+"/tombstone", data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		got, payload, err := openSlots(copied)
		if err != nil || len(payload) != 3 || payload[0] != want || got.bad != len(torn) {
			t.Errorf("%s: %v, want %d, %d places are bad, %v", what, payload, want, got.bad, err)
		}
		got.close()
	}
	write(1)
	sync()
	for n := byte(2); n < 12; n += 3 {
		write(n)
		expect("a kill", nil, n)
		expect("a torn update", []int{s.at}, n-1)
		s.freeze()
		write(n + 1)
		expect("a kill in an fsync", nil, n+1)
		expect("power that fails in an fsync", []int{s.at, s.frozen}, n-1)
		s.thaw()
		expect("power that fails after it", []int{s.at}, n)
		write(n + 2)
		expect("a torn update after it", []int{s.at}, n)
		sync()
	}
}

func TestSum_saturates(t *testing.T) {
	most := sum{requests: batch.MaxLossCount, attempts: batch.MaxLossCount, cost: batch.MaxLossCostNanoUSD}
	for i := range most.tokens {
		most.tokens[i] = batch.MaxTokens
	}
	got := most.plus(sumOf(&usagev1.UsageRecord{Attempts: []*usagev1.Attempt{
		{CostNanoUsd: proto.Int64(1), Usage: &usagev1.TokenUsage{Input: batch.MaxTokens, Output: -5}}, {},
	}}))
	want := most
	want.unpriced = 2 // the one that has no price, and the one for whose cost there is no room
	if got != want {
		t.Errorf("%+v", got)
	}
	if s := fmt.Sprint(sum{}.plus(sum{cost: -1, attempts: 1}).cost); s != "0" {
		t.Errorf("a cost below nothing adds %s", s)
	}
}

// The emptied slot and the record are both lost to damage; the batch that has the record
// names it, so that it is not counted again.
func TestBury_record_damaged_after_its_batch(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(Options{Dir: dir, FsyncEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	id, err := l.Forgo(0, record(0))
	if err == nil {
		err = l.End(id, record(5))
	}
	l.mu.Lock()
	err = errors.Join(err, l.bury())
	at := l.tombstone.until - 1 // inside of the record
	path := l.tombstone.in.path
	l.mu.Unlock()
	spent, readErr := os.ReadFile(l.tombstone.slots.path)
	_, flushErr := l.Flush(t.Context(), 1, func(string, []*usagev1.UsageRecord) ([]byte, error) { return []byte("value"), nil })
	if err := errors.Join(err, readErr, flushErr, l.Close(t.Context()), os.WriteFile(l.tombstone.slots.path, spent, 0o600)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[at] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := counted(t, dir); !got.nothing() {
		t.Errorf("counted again: %+v", got)
	}
}
