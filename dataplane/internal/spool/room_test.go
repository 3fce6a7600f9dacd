package spool_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/disktest"
	"github.com/weirhq/weir/dataplane/internal/spool"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// fillItself makes requests until the spool has filled its disk, and returns how
// many are recorded; nothing is sent meanwhile.
func fillItself(t *testing.T, l *spool.Log) (recorded int) {
	t.Helper()
	for ; ; recorded++ {
		id, err := l.Start(started(fmt.Sprint(recorded)))
		if errors.Is(err, spool.ErrFull) {
			return recorded
		}
		if err == nil {
			err = l.End(id, finished(fmt.Sprint(recorded)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// refuseUntilFull records requests that the agent itself refuses.
func refuseUntilFull(t *testing.T, l *spool.Log) (recorded int) {
	t.Helper()
	for ; ; recorded++ {
		err := l.Refuse(&usagev1.UsageRecord{RequestId: "r", Outcome: usagev1.Outcome_OUTCOME_REFUSED})
		if errors.Is(err, spool.ErrFull) {
			return recorded
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// ship sends and settles batch by batch until all of so many records are; what
// comes while it does, more, adds to them.
func ship(t *testing.T, l *spool.Log, records int, more func() int) {
	t.Helper()
	for sent, n := 0, 0; sent < records; n++ {
		b := next(t, l)
		l.Acked(b)
		l.Settle([]*agentv1.SettledRange{{Boot: b.Boot, FirstSeq: b.First, LastSeq: b.Last}})
		sent += int(b.Last - b.First + 1)
		if more != nil && n < 50 {
			records += more()
		}
	}
}

// onItsOwnDisk runs a test with a spool on a disk of 4 MiB.
func onItsOwnDisk(t *testing.T, segment int64, test func(*testing.T, *disktest.Disk, spool.Options)) {
	t.Helper()
	disktest.Run(t, 4<<20, func(t *testing.T, disk *disktest.Disk) {
		test(t, disk, spool.Options{
			Dir: filepath.Join(disk.Path, "spool"), SegmentBytes: segment, MaxBytes: 64 << 20,
			RetryEvery: time.Millisecond, FsyncEvery: time.Millisecond,
		})
	})
}

func servesAgain(t *testing.T, l *spool.Log) {
	t.Helper()
	eventually(t, "it serves again", func() bool { return l.Fault() == nil })
}

func TestASpoolThatFilledItsDisk(t *testing.T) {
	for name, segment := range map[string]int64{"many_segments": 512 << 10, "two_segments": 3 << 19} {
		t.Run(name, func(t *testing.T) {
			onItsOwnDisk(t, segment, func(t *testing.T, _ *disktest.Disk, o spool.Options) {
				l := open(t, o)
				ship(t, l, fillItself(t, l), nil)
				servesAgain(t, l)
				recorded := fillItself(t, l)
				shut(t, l) // full, and started again
				l = open(t, o)
				ship(t, l, recorded, nil)
				servesAgain(t, l)
				ship(t, l, fillItself(t, l), func() int { return refuseUntilFull(t, l) })
				servesAgain(t, l)
			})
		})
	}
}

// Nothing is there to ship: the ends that wait get the room themselves.
func TestEndsThatWaitWhenAllIsSettled(t *testing.T) {
	onItsOwnDisk(t, 512<<10, func(t *testing.T, disk *disktest.Disk, o spool.Options) {
		l := open(t, o)
		const settled = 1200
		for i := range settled {
			request(t, l, fmt.Sprint("settled ", i))
		}
		ship(t, l, settled, nil)
		disk.Fill()
		ids := startUntilFull(t, l)
		for i, id := range ids {
			if err := l.End(id, finished(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		ship(t, l, len(ids), nil)
		servesAgain(t, l)
	})
}

func TestASpoolOnADiskThatOthersFilled(t *testing.T) {
	onItsOwnDisk(t, 512<<10, func(t *testing.T, disk *disktest.Disk, o spool.Options) {
		l := open(t, o)
		disk.Fill()
		ship(t, l, fillItself(t, l), nil)
		servesAgain(t, l)
	})
}

// A stone whose record finds no room keeps no segment from going: they make that room.
func TestATombstoneOnADiskThatOthersFilled(t *testing.T) {
	onItsOwnDisk(t, 512<<10, func(t *testing.T, disk *disktest.Disk, o spool.Options) {
		l := open(t, o)
		disk.Fill()
		recorded := fillItself(t, l)
		if err := l.End(forgo(t, l, started("x")), finished("x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // tries to record it
		ship(t, l, recorded, nil)
		servesAgain(t, l)
		eventually(t, "it is recorded", func() bool {
			return l.Stats().Tombstone.Requests == 0 && tailOf(l, l.Boot()).GetLastSeq() == int64(recorded)+1
		})
	})
}

// A boot that could only begin leaves a segment's room, and that is all the disk has: the
// next one begins in it, and ships what is there.
func TestABootAfterOneThatCouldOnlyBegin(t *testing.T) {
	onItsOwnDisk(t, 3<<19, func(t *testing.T, disk *disktest.Disk, o spool.Options) {
		l := open(t, o)
		recorded := fillItself(t, l)
		shut(t, l)
		for range 3 {
			l = open(t, o)
			if err := l.Fault(); !errors.Is(err, spool.ErrFull) {
				t.Fatalf("there is room for more: %v", err)
			}
			shut(t, l)
			disk.Fill()
		}
		l = open(t, o)
		ship(t, l, recorded, nil)
		disk.Free()
		servesAgain(t, l)
	})
}
