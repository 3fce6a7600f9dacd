package spool

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// However much of what was written is still in memory, batches have every record once, in
// order, and as it was.
func TestRecent(t *testing.T) {
	for _, most := range []int{0, 1 << 10, 20 << 10, maxRecent} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			l, err := Open(Options{Dir: t.TempDir(), SegmentBytes: 32 << 10, MaxBytes: 1 << 30, FsyncEvery: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			l.mu.Lock()
			l.recent.most = most
			l.mu.Unlock()
			var wrote, read []string
			closing := func(_ string, records []*usagev1.UsageRecord) ([]byte, error) {
				for _, r := range records {
					read = append(read, fmt.Sprint(r.GetSeq(), r.GetRequestId()))
				}
				return []byte("value"), nil
			}
			for range 60 {
				for range rand.N(120) {
					r := &usagev1.UsageRecord{RequestId: fmt.Sprint(len(wrote)), Route: strings.Repeat("x", rand.N(2000))}
					id, err := l.Start(r)
					if err == nil {
						err = l.End(id, r)
					}
					if err != nil {
						t.Fatal(err)
					}
					wrote = append(wrote, fmt.Sprint(len(wrote)+1, r.GetRequestId()))
				}
				if rand.N(3) > 0 {
					flushAll(t, l, closing)
				}
			}
			flushAll(t, l, closing)
			if strings.Join(read, "\n") != strings.Join(wrote, "\n") {
				t.Errorf("%d records written, %d read, or not in their order", len(wrote), len(read))
			}
			if l.recent.bytes != 0 || l.recent.ends != nil {
				t.Errorf("%d bytes are left of %d", l.recent.bytes, len(l.recent.ends))
			}
			if err := l.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func flushAll(t *testing.T, l *Log, closing CloseBatch) {
	t.Helper()
	for {
		batches, err := l.Flush(t.Context(), 1+rand.IntN(3), closing)
		if err != nil {
			t.Fatal(err)
		}
		if len(batches) == 0 {
			return
		}
		for _, b := range batches {
			l.Acked(b)
		}
	}
}
