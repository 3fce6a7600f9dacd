package dataplane

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestPacedTo(t *testing.T) {
	const mb = 1 << 20
	for name, test := range map[string]struct {
		base, allocated uint64
		since           time.Duration
		percent         int
	}{
		"small_and_busy":    {base: 10 * mb, allocated: 64 * mb, since: 200 * time.Millisecond, percent: 640},
		"nothing_yet":       {percent: 1600},
		"large_and_quiet":   {base: 320 * mb, allocated: 64 * mb, since: time.Minute, percent: 20},
		"large_and_busy":    {base: 320 * mb, allocated: 64 * mb, since: 100 * time.Millisecond, percent: 100},
		"large_and_between": {base: 320 * mb, allocated: 64 * mb, since: time.Second, percent: 40},
	} {
		t.Run(name, func(t *testing.T) {
			if got := pacedTo(test.base, test.allocated, test.since); got != test.percent {
				t.Errorf("percent %d, want %d", got, test.percent)
			}
		})
	}
}

func TestHeapIsPaced(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	stop := paceHeap()
	t.Cleanup(stop)
	percent := func() int {
		was := debug.SetGCPercent(100)
		debug.SetGCPercent(was)
		return was
	}
	small := percent()
	held := make([][]byte, 0, 256)
	for range 256 {
		held = append(held, make([]byte, 1<<20))
	}
	for deadline := time.Now().Add(10 * time.Second); percent() >= 100 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		runtime.GC()
	}
	large := percent()
	runtime.KeepAlive(held)
	if small < 200 || large >= 100 {
		t.Errorf("GOGC %d of a small heap, %d of a large one, want a lot more and less than 100", small, large)
	}
	stop()
	if got := percent(); got != 100 {
		t.Errorf("GOGC %d after the end, want 100", got)
	}
}
