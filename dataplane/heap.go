package dataplane

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

const (
	// leastHeadroom is what the heap grows by, at least, before it is collected, bytes. By
	// Go's own rule a small heap that is written to fast is collected dozens of times a
	// second.
	leastHeadroom = 64 << 20
	// collectEvery is how far apart collections are to be: what more memory would buy then
	// is less than a hundredth of a processor.
	collectEvery = 2 * time.Second
)

// heap paces the garbage collector by how fast memory is allocated, where Go's own rule
// lets a heap double whatever its size: thousands of open streams are a large heap in
// which little happens.
type heap struct {
	samples   [3]metrics.Sample
	percent   int
	collected time.Time
	allocated uint64 // bytes, from the start until then
	stopped   atomic.Bool
}

// paceHeap does so until the returned function is called, which leaves Go's own rule.
// What the environment says (GOGC, GOMEMLIMIT) goes before it.
func paceHeap() (stop func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	h := &heap{collected: time.Now()}
	h.samples[0].Name, h.samples[1].Name, h.samples[2].Name = "/gc/heap/live:bytes", "/gc/scan/stack:bytes", "/gc/heap/allocs:bytes"
	h.pace()
	h.watch()
	return func() {
		h.stopped.Store(true)
		debug.SetGCPercent(100)
	}
}

// watch is called after each collection, by what it collects.
func (h *heap) watch() {
	runtime.SetFinalizer(&struct{ *heap }{h}, func(*struct{ *heap }) {
		if h.stopped.Load() {
			return
		}
		h.pace()
		h.watch()
	})
}

func (h *heap) pace() {
	metrics.Read(h.samples[:])
	live, stacks, allocated := h.samples[0].Value.Uint64(), h.samples[1].Value.Uint64(), h.samples[2].Value.Uint64()
	percent := pacedTo(live+stacks, allocated-h.allocated, time.Since(h.collected))
	h.collected, h.allocated = time.Now(), allocated
	// It stops the world: not for a percent.
	if percent*10 < h.percent*9 || percent*9 > h.percent*10 {
		h.percent = percent
		debug.SetGCPercent(percent)
	}
}

// pacedTo returns GOGC's percentage after a collection that left base bytes of heap and
// stacks, when as many as allocated came in the time since the one before.
func pacedTo(base, allocated uint64, since time.Duration) int {
	base = max(base, 4<<20)
	rate := float64(allocated) / max(since.Seconds(), 1e-3)
	headroom := max(min(uint64(rate*collectEvery.Seconds()), base), leastHeadroom)
	return int(max(headroom*100/base, 1))
}
