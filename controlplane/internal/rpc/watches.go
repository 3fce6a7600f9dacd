package rpc

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
)

// maxWatches is how many streams of one organization this process serves at once.
const maxWatches = 100

// Heads tells which logs went on; eventlog.Tailer does.
type Heads interface {
	Subscribe() (heads <-chan eventlog.Head, cancel func())
}

// Watches wakes the streams that follow a log, and ends them with the process. What
// is new they read from the log: a wake-up carries nothing, so that nothing piles up
// for a stream that is slow.
type Watches struct {
	heads    Heads
	draining chan struct{}

	mu      sync.Mutex
	drained bool
	waiting map[uuid.UUID]map[chan struct{}]bool
	streams sync.WaitGroup
}

// NewWatches makes watches that are woken while Run runs.
func NewWatches(heads Heads) *Watches {
	return &Watches{heads: heads, draining: make(chan struct{}), waiting: map[uuid.UUID]map[chan struct{}]bool{}}
}

// Run passes wake-ups on until ctx ends; then it ends every stream and waits for them.
func (w *Watches) Run(ctx context.Context) {
	heads, cancel := w.heads.Subscribe()
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			w.drain()
			return
		case head := <-heads:
			w.wake(head.OrganizationID)
		}
	}
}

func (w *Watches) wake(organization uuid.UUID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for stream := range w.waiting[organization] {
		select {
		case stream <- struct{}{}:
		default:
		}
	}
}

// Draining is closed when streams have to end.
func (w *Watches) Draining() <-chan struct{} { return w.draining }

// join lets a stream be woken until it leaves.
func (w *Watches) join(organization uuid.UUID) (wake <-chan struct{}, leave func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.drained {
		return nil, nil, errShuttingDown
	}
	streams := w.waiting[organization]
	if len(streams) >= maxWatches {
		return nil, nil, fault.Because(fault.Exhausted, "too_many_watches", "%d streams of the organization are open, the most there can be; close one", maxWatches)
	}
	if streams == nil {
		streams = map[chan struct{}]bool{}
		w.waiting[organization] = streams
	}
	mine := make(chan struct{}, 1)
	streams[mine] = true
	w.streams.Add(1)
	return mine, func() { w.leave(organization, mine) }, nil
}

func (w *Watches) leave(organization uuid.UUID, stream chan struct{}) {
	w.mu.Lock()
	delete(w.waiting[organization], stream)
	if len(w.waiting[organization]) == 0 {
		delete(w.waiting, organization)
	}
	w.mu.Unlock()
	w.streams.Done()
}

func (w *Watches) drain() {
	w.mu.Lock()
	w.drained = true
	w.mu.Unlock()
	close(w.draining)
	w.streams.Wait()
}
