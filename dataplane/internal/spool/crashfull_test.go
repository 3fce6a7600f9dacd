package spool_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/disktest"
	"github.com/weirhq/weir/dataplane/internal/spool"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// What makes a spool full.
const ofBound, ofDisk = "bound", "disk"

// smallOptions make a spool that is full most of the time.
func smallOptions(dir, full string) spool.Options {
	o := crashOptions(dir)
	if o.SegmentBytes, o.RetryEvery = 8<<10, time.Millisecond; full == ofBound {
		o.MaxBytes = 32 << 10
	}
	return o
}

var sayFull sync.Once

// serveFull is serve of requests that are served without a record where there is no room.
// Its journal tells of those before and after each call: f and F of Forgo, g and G of the
// end, a and A of another attempt. What is only announced may count or not.
func serveFull(l *spool.Log, journal *os.File, name string) (err error) {
	say := func(event, request string) {
		if err == nil {
			_, err = fmt.Fprintf(journal, "%s %s\n", event, request)
		}
	}
	for i := 0; err == nil; i++ {
		request, recorded := fmt.Sprintf("%s/%d", name, i), true
		id, failed := l.Start(priced(request, -1))
		if errors.Is(failed, spool.ErrFull) {
			recorded = false
			sayFull.Do(func() { fmt.Println("full") })
			say("f", request)
			if id, failed = l.Forgo(0, priced(request, -1)); failed == nil {
				say("F", request)
			}
		}
		if failed != nil {
			return failed
		}
		if recorded {
			say("S", request)
		}
		time.Sleep(rand.N(time.Millisecond))
		switch {
		case rand.N(30) == 0: // stays open until the end
		case recorded:
			if err := l.End(id, finished(request)); err != nil {
				return err
			}
			say("E", request)
		default:
			say("g", request)
			if err := l.End(id, priced(request, 1, 1)); err != nil {
				return err
			}
			say("G", request)
		}
	}
	return err
}

// What was served without a record is in tombstones, each request once, whatever is killed
// and when.
func TestKillWhileFull(t *testing.T) { killWhileFull(t, t.TempDir(), ofBound, 25, func(int) {}) }

// The same where the disk has room to begin a boot, and then no byte to spare.
func TestKillWhileTheDiskIsFull(t *testing.T) {
	disktest.Run(t, 2<<20, func(t *testing.T, disk *disktest.Disk) {
		dir, journals := filepath.Join(disk.Path, "state"), t.TempDir()
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"journal", "broker"} { // they are not on the disk
			if err := os.Symlink(filepath.Join(journals, file), filepath.Join(dir, file)); err != nil {
				t.Fatal(err)
			}
		}
		const kills = 15
		disk.Fill()
		killWhileFull(t, dir, ofDisk, kills, func(killed int) {
			if disk.Free(); killed < kills {
				disk.Fill()
				disk.Spare(40 << 10)
			}
		})
	})
}

func killWhileFull(t *testing.T, dir, full string, kills int, before func(killed int)) {
	for n := range kills {
		before(n)
		killOnce(t, dir, full)
	}
	before(kills)
	l := open(t, smallOptions(dir, ofDisk))
	var last []string
	for _, b := range drain(t, l) {
		last = append(last, hex.EncodeToString(b.Value))
	}
	records := ingest(t, append(lines(t, filepath.Join(dir, "broker")), last...))
	var lost usagev1.Loss
	stones := 0
	for _, r := range records {
		if loss := r.GetLoss(); loss != nil {
			stones++
			lost.Requests += loss.GetRequests()
			lost.Attempts += loss.GetAttempts()
			lost.UnpricedAttempts += loss.GetUnpricedAttempts()
			lost.CostNanoUsd += loss.GetCostNanoUsd()
		}
	}
	if s := l.Stats().Tombstone; s != (spool.Tombstone{}) {
		t.Errorf("the tombstone still has %+v", s)
	}
	said := map[string]int64{}
	var served []string
	for _, line := range lines(t, filepath.Join(dir, "journal")) {
		said[line[:1]]++
		if line[0] == 'S' || line[0] == 'E' && full == ofBound { // on a full disk ends wait in memory
			served = append(served, line)
		}
	}
	checkJournal(t, served, records)
	between := func(what string, got, least, most int64) {
		if got < least || got > most {
			t.Errorf("%d %s are lost, they were %d to %d", got, what, least, most)
		}
	}
	between("requests", lost.GetRequests(), said["F"], said["f"])
	between("nano-dollars", lost.GetCostNanoUsd(), 2*said["G"], 2*said["g"])
	between("attempts without a price", lost.GetUnpricedAttempts(), said["F"]-said["g"], said["f"]-said["G"])
	between("attempts", lost.GetAttempts(), said["F"]+said["G"], said["f"]+said["g"])
	if said["G"] == 0 || stones < 2 {
		t.Errorf("%d tombstones, journal %v", stones, said)
	}
	t.Logf("%d kills, %d records, %d tombstones of %d requests, journal %v", kills, len(records), stones, lost.GetRequests(), said)
}
