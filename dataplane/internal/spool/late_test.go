package spool_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/disktest"
	"github.com/weirhq/weir/dataplane/internal/spool"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// startUntilFull starts requests until the disk refuses one.
func startUntilFull(t *testing.T, l *spool.Log) (ids []uint64) {
	t.Helper()
	for {
		id, err := l.Start(started(fmt.Sprint(len(ids))))
		if errors.Is(err, spool.ErrFull) {
			return ids
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
}

func TestEndsThatMeetAFullDisk(t *testing.T) {
	disktest.Run(t, 1<<20, func(t *testing.T, disk *disktest.Disk) {
		dir := filepath.Join(disk.Path, "spool")
		l := open(t, spool.Options{Dir: dir, SegmentBytes: 64 << 10, MaxBytes: 64 << 20, RetryEvery: time.Millisecond, FsyncEvery: time.Millisecond})
		disk.Fill()
		ids := startUntilFull(t, l)
		for i, id := range ids {
			if err := l.End(id, finished(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		if s := l.Stats(); s.Late == 0 || s.Late != s.Open {
			t.Fatalf("%d ends wait, %d requests are open", s.Late, s.Open)
		}
		if err := l.End(ids[len(ids)-1], finished("again")); !errors.Is(err, spool.ErrNotOpen) {
			t.Errorf("second end: %v", err)
		}
		if _, err := l.Start(started("more")); !errors.Is(err, spool.ErrFull) {
			t.Errorf("start while ends wait: %v", err)
		}
		if err := l.Fault(); !errors.Is(err, spool.ErrFull) {
			t.Errorf("fault while ends wait: %v", err)
		}
		killed, waiting := copyDir(t, dir), l.Stats().Late

		disk.Free()
		eventually(t, "the ends are written", func() bool { return l.Stats().Late == 0 })
		if err := l.Fault(); err != nil {
			t.Errorf("fault after that: %v", err)
		}
		request(t, l, "after")
		for _, r := range recordsOf(t, drain(t, l)) {
			if r.GetOutcome() != usagev1.Outcome_OUTCOME_OK {
				t.Errorf("%s is reported as %v", r.GetRequestId(), r.GetOutcome())
			}
		}
		boot := l.Boot()
		if tails := l.Tails(); len(tails) != 1 || tails[0].GetBoot() != boot || tails[0].GetLastSeq() != int64(len(ids)+1) {
			t.Errorf("%d requests, tails %v", len(ids)+1, tails)
		}

		l = open(t, spool.Options{Dir: killed})
		records := recordsOf(t, drain(t, l))
		if n := interruptedCount(byName(t, records)); n != waiting || len(records) != len(ids) {
			t.Errorf("after a kill %d of %d requests, %d interrupted, %d ends had waited", len(records), len(ids), n, waiting)
		}
	})
}

func byName(t *testing.T, records []*usagev1.UsageRecord) map[string]*usagev1.UsageRecord {
	t.Helper()
	all := map[string]*usagev1.UsageRecord{}
	for _, r := range records {
		if all[r.GetRequestId()] != nil {
			t.Errorf("%s has two records", r.GetRequestId())
		}
		all[r.GetRequestId()] = r
	}
	return all
}
