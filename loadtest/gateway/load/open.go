package load

import (
	"context"
	"errors"
	"iter"
	"os"
	"runtime"
	"sync"
	"time"
)

// Open is an open loop.
type Open struct {
	Request     Request
	Connections int
	// Schedule are the times of sending, from the beginning, in order.
	Schedule iter.Seq[time.Duration]
	// Timeout of one request, and how long answers are waited for after the last is due.
	Timeout time.Duration
	// Seen is given what there is, each Every; nil: nobody.
	Seen  func(*Sample)
	Every time.Duration
}

// queued is how many requests may wait for a connection. More of them keep the schedule
// waiting, not its times.
const queued = 1 << 16

var errGivenUp = errors.New("not sent: every connection waited for answers until the end")

// Run sends each request when it is due, or as soon after that as a connection is free, and
// counts from when it was due. It returns an error when ctx ended or not one
// connection had an answer at the beginning.
func (o Open) Run(ctx context.Context) (*Sample, error) {
	lines, err := newLines(ctx, o.Request, o.Connections, o.Timeout)
	if err != nil {
		return nil, err
	}
	defer lines.close()
	r, due := newRecorder(), make(chan time.Time, queued)
	giveUp := make(chan struct{})
	var workers sync.WaitGroup
	for i := range lines.all {
		workers.Go(func() { o.work(ctx, lines, i, due, giveUp, r) })
	}
	watched := o.watch(r)
	began := time.Now()
	o.dispatch(ctx, began, due)
	close(due)
	late := time.AfterFunc(o.Timeout, func() { close(giveUp); lines.cut() })
	workers.Wait()
	late.Stop()
	watched()
	r.sample.Elapsed = time.Since(began)
	return r.sample, context.Cause(ctx)
}

func (o Open) work(ctx context.Context, lines *lines, i int, due <-chan time.Time, giveUp <-chan struct{}, r *recorder) {
	for at := range due {
		if ctx.Err() != nil {
			return
		}
		if isClosed(giveUp) {
			r.note(at, time.Now(), Answer{}, errGivenUp)
			continue
		}
		a, err := lines.ask(i)
		if err != nil && isClosed(giveUp) {
			err = os.ErrDeadlineExceeded // it was cut
		}
		r.note(at, time.Now(), a, err)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// dispatch holds a thread of its own: the runtime's timers wake up a whole millisecond late
// where nothing else runs.
func (o Open) dispatch(ctx context.Context, began time.Time, due chan<- time.Time) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	sharpen()
	for offset := range o.Schedule {
		at := began.Add(offset)
		for wait := time.Until(at); wait > 0; wait = time.Until(at) {
			nap(min(wait, 20*time.Millisecond))
			if ctx.Err() != nil {
				return
			}
		}
		select {
		case due <- at:
		case <-ctx.Done():
			return
		}
	}
}

func (o Open) watch(r *recorder) (stop func()) {
	if o.Seen == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(o.Every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				o.Seen(r.snapshot())
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}
