package control

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// 5,000 agents that are sent away at once come back over the time that they are told.
func TestSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		var back []time.Duration
		var all sync.WaitGroup
		for range 5000 {
			all.Go(func() {
				b := &backoff{first: 100 * time.Millisecond, limit: 100 * time.Millisecond, most: 10 * time.Second}
				b.atLeast(time.Second)
				b.wait(t.Context())
				mu.Lock()
				defer mu.Unlock()
				back = append(back, time.Since(began))
			})
		}
		all.Wait()
		slices.Sort(back)
		if back[len(back)-1] > time.Second || back[len(back)/2] < 400*time.Millisecond || back[len(back)/2] > 600*time.Millisecond {
			t.Errorf("half is back after %v, all after %v", back[len(back)/2], back[len(back)-1])
		}
		most := 0
		for i := range back {
			n, _ := slices.BinarySearch(back, back[i]+10*time.Millisecond)
			most = max(most, n-i)
		}
		if most > 150 {
			t.Errorf("%d come within 10 ms", most)
		}
		b := &backoff{limit: time.Second, most: 10 * time.Second}
		if b.atLeast(time.Hour); b.limit != 10*time.Second {
			t.Errorf("an hour makes a wait of up to %v", b.limit)
		}
	})
}
