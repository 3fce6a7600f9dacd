package spool_test

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/spool"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// lived is a folder after some boots: segments, batches that are closed, sent and settled,
// requests ended and open, attempts and requests that were forgone, tombstones that became
// records and one that fills. It knows what was put in and what was sent.
type lived struct {
	dir   string
	files []string
	wrote map[string]bool   // names of requests
	sent  map[string]string // boot and number → record
	lost  int64             // requests in tombstones
	// took is what requests of each boot took of a quota.
	took map[string]int64
}

func live(t testing.TB) *lived {
	t.Helper()
	v := &lived{dir: filepath.Join(t.TempDir(), "spool"), wrote: map[string]bool{}, sent: map[string]string{}, took: map[string]int64{}}
	for boot := range 3 {
		l := open(t, spool.Options{Dir: v.dir, SegmentBytes: 2 << 10, MaxBytes: 64 << 20, FsyncEvery: time.Millisecond})
		for i := range 60 {
			name := fmt.Sprintf("%d/%d", boot, i)
			v.wrote[name] = true
			if i%12 == 3 { // stays open
				if _, err := l.Forgo(start(t, l, name), again(name)); err != nil {
					t.Fatal(err)
				}
				continue
			}
			id := startCharging(t, l, name, 10)
			switch i % 12 {
			case 5: // the same
				v.took[l.Boot()] += 10
			case 7:
				v.lost++
				if err := l.End(forgo(t, l, started("lost")), priced("lost", 3)); err != nil {
					t.Fatal(err)
				}
				fallthrough
			default:
				v.took[l.Boot()] += 2
				endCharging(t, l, id, name, 2)
			}
			if i%25 == 24 {
				for n, b := range drain(t, l) {
					v.note(recordsOf(t, []spool.Batch{b}), b.Boot)
					if n%2 == boot%2 {
						l.Settle([]*agentv1.SettledRange{{Boot: b.Boot, FirstSeq: b.First, LastSeq: b.Last}})
					}
				}
			}
		}
		eventually(t, "the tombstone is a record", func() bool { return l.Stats().Tombstone.Requests == 0 })
		v.lost++
		forgo(t, l, started("lost"))
		shut(t, l)
	}
	v.files = segments(t, v.dir)
	v.files = append(v.files, filepath.Join(v.dir, "tombstone"))
	return v
}

func (v *lived) note(records []*usagev1.UsageRecord, boot string) {
	for _, r := range records {
		v.sent[fmt.Sprint(boot, " ", r.GetSeq())] = text(r)
	}
}

func text(r *usagev1.UsageRecord) string {
	data, _ := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	return string(data)
}

// damaged makes a copy of the folder with bytes flipped and files cut: five bytes each, of
// file, place (two), what is done, and how.
func (v *lived) damaged(t *testing.T, harm []byte) (dir string, cut bool) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(v.dir)); err != nil {
		t.Fatal(err)
	}
	for ; len(harm) >= 5; harm = harm[5:] {
		path := filepath.Join(dir, filepath.Base(v.files[int(harm[0])%len(v.files)]))
		data, err := os.ReadFile(path)
		if err != nil || len(data) == 0 {
			continue
		}
		at := int(binary.BigEndian.Uint16(harm[1:])) % len(data)
		switch harm[3] % 8 {
		case 0:
			data, cut = data[:at], true
		case 1:
			data = append(data[:at:at], data[min(len(data), at+1+int(harm[4])):]...)
		case 2:
			clear(data[at:min(len(data), at+1+int(harm[4]))])
		default:
			data[at] ^= harm[4]
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, cut
}

// FuzzOpen damages a folder and opens it: what comes out was put in, once; what was sent
// before keeps its number; what is gone is said.
func FuzzOpen(f *testing.F) {
	v := live(f)
	f.Add([]byte{})
	f.Add([]byte{1, 0, 9, 3, 1})
	f.Add([]byte{255, 0, 20, 3, 64, 255, 16, 9, 3, 1})
	f.Add([]byte{3, 0, 200, 0, 0, 5, 1, 0, 1, 30})
	f.Add([]byte{2, 0, 0, 2, 255, 4, 2, 2, 2, 255})
	f.Fuzz(func(t *testing.T, harm []byte) {
		if len(harm) <= 60 {
			v.check(t, harm)
		}
	})
}

// Harm of any kind, where no fuzzer runs.
func TestHarm(t *testing.T) {
	v := live(t)
	for range 100 {
		harm := make([]byte, 5*(1+rand.N(4)))
		for i := range harm {
			harm[i] = byte(rand.N(256))
		}
		if !t.Run(fmt.Sprintf("%x", harm), func(t *testing.T) { v.check(t, harm) }) {
			return
		}
	}
}

// check opens a folder that was damaged.
func (v *lived) check(t *testing.T, harm []byte) {
	dir, cut := v.damaged(t, harm)
	var log strings.Builder
	o := spool.Options{Dir: dir, SegmentBytes: 2 << 10, MaxBytes: 64 << 20, FsyncEvery: time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	l, err := spool.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, l)
	v.checkCharges(t, l, cut || strings.Contains(log.String(), "torn write"), len(harm) == 0)
	came, stones, numbers := map[string]bool{}, map[string]int64{}, map[string]bool{}
	for _, b := range drain(t, l) {
		for _, r := range recordsOf(t, []spool.Batch{b}) {
			number, name := fmt.Sprint(b.Boot, " ", r.GetSeq()), r.GetRequestId()
			if was, ok := v.sent[number]; numbers[number] || ok && was != text(r) {
				t.Fatalf("%s is there twice, or is another record than it was", number)
			}
			if came[name] || r.GetLoss() == nil && !v.wrote[name] {
				t.Fatalf("request %q is there twice, or was never written", name)
			}
			numbers[number], came[name] = true, true
			if r.GetLoss() != nil {
				stones[name] = r.GetLoss().GetRequests()
			}
		}
	}
	lost := v.missing(t, came, stones)
	if lost < 0 {
		t.Fatalf("%d requests more are in tombstones than there were", -lost)
	}
	if lost > 0 && !cut && l.Stats().Damaged == 0 && !strings.Contains(log.String(), "torn write") {
		t.Fatalf("%d requests are gone, and nothing was said:\n%s", lost, log.String())
	}
}

// checkCharges: what a boot is said to have taken for good is no less than it took.
func (v *lived) checkCharges(t *testing.T, l *spool.Log, cut, whole bool) {
	totals, said := l.Charged()
	closed, found := map[string]bool{}, map[string]int64{}
	for _, h := range totals {
		closed[h.GetBoot()] = h.GetClosed()
		found[h.GetBoot()] += h.GetSpent()
	}
	for boot, took := range v.took {
		if whole && (found[boot] != took || !said) {
			t.Fatalf("boot %s took %d, not %d", boot, took, found[boot])
		}
		if (closed[boot] || said) && found[boot] < took && !cut {
			t.Fatalf("boot %s took %d, and is closed with %d", boot, took, found[boot])
		}
	}
}

// missing is how many requests neither came nor had been sent before, by themselves or in a
// tombstone; negative: tombstones have more than were lost.
func (v *lived) missing(t *testing.T, came map[string]bool, stones map[string]int64) (missing int64) {
	t.Helper()
	for _, was := range v.sent {
		r := &usagev1.UsageRecord{}
		if err := proto.Unmarshal([]byte(was), r); err != nil {
			t.Fatal(err)
		}
		if came[r.GetRequestId()] = true; r.GetLoss() != nil {
			stones[r.GetRequestId()] = r.GetLoss().GetRequests()
		}
	}
	lost := v.lost
	for _, n := range stones {
		lost -= n
	}
	if lost < 0 {
		return lost
	}
	for name := range v.wrote {
		if !came[name] {
			missing++
		}
	}
	return missing + lost
}
