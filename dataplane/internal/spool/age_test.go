package spool_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/spool"
)

// Nobody closes a batch, as before an agent has enrolled: what waits has an age all the same,
// also of boots before; once all is settled, none.
func TestAgeOfWhatWaits(t *testing.T) {
	o := spool.Options{Dir: t.TempDir(), FsyncEvery: time.Millisecond}
	l := open(t, o)
	if age := l.Stats().OldestAge; age != 0 {
		t.Errorf("of nothing: %v", age)
	}
	ended := finished("a")
	ended.StartedAtUs, ended.DurationUs = time.Now().Add(-time.Hour).UnixMicro(), int64(10*time.Minute/time.Microsecond)
	if err := l.End(start(t, l, "a"), ended); err != nil {
		t.Fatal(err)
	}
	time.Sleep(30 * time.Millisecond)
	if s := l.Stats(); s.OldestAge < 30*time.Millisecond || s.OldestAge > time.Minute || s.Unsent != 1 || s.Records != 1 {
		t.Errorf("%+v", s)
	}
	shut(t, l)
	l = open(t, o)
	if age := l.Stats().OldestAge; age < 50*time.Minute || age > 52*time.Minute {
		t.Errorf("in the next boot: %v", age)
	}
	batches := drain(t, l)
	if s := l.Stats(); s.OldestAge > time.Minute || s.Unsent != 0 || s.Records != 1 {
		t.Errorf("in a batch: %+v", s)
	}
	time.Sleep(5 * time.Millisecond)
	if age := l.Stats().OldestAge; age < 5*time.Millisecond {
		t.Errorf("its batch has %v", age)
	}
	settleAll(l, batches)
	if s := l.Stats(); s.OldestAge != 0 || s.Records != 0 || s.MaxBytes != 1<<30 {
		t.Errorf("settled: %+v", s)
	}
}

// The clock is set while the log is open: by an hour back, by a day ahead. Ages stay what they
// are, batches close and what was full is tried again.
func TestClockThatIsSet(t *testing.T) {
	for name, step := range map[string]time.Duration{"back": -time.Hour, "ahead": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			set := time.Duration(0)
			o := spool.Options{Dir: t.TempDir(), Linger: 10 * time.Millisecond, Now: func() time.Time { return time.Now().Add(set).Round(0) }}
			l, recorded := full(t, o)
			forgo(t, l, started("x"))
			aged := func() {
				t.Helper()
				if s := l.Stats(); s.OldestAge < 0 || s.OldestAge > time.Minute || s.Tombstone.Age < 0 || s.Tombstone.Age > time.Minute {
					t.Errorf("%+v", s)
				}
			}
			aged()
			set = step
			aged()
			sent := 0
			for sent < recorded {
				batches, err := l.Next(t.Context(), 3, closeBatch)
				if err != nil {
					t.Fatal(err)
				}
				aged()
				l.Acked(batches...)
				settleAll(l, batches)
				for _, b := range batches {
					sent += int(b.Last - b.First + 1)
				}
			}
			servesAgain(t, l)
			shut(t, l)
			set = 0 // and set again while the agent is down
			l = open(t, o)
			aged()
		})
	}
}
