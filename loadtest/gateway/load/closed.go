package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Closed is a closed loop.
type Closed struct {
	Request     Request
	Connections int
	// For how long requests are begun, and how long each may take.
	For, Timeout time.Duration
	// Pause before each request of a connection; nil: none.
	Pause func() time.Duration
}

type statusError int

func (s statusError) Error() string {
	return fmt.Sprintf("status %d %s", int(s), http.StatusText(int(s)))
}

// Run connects, sends one request on each connection that does not count, and then as many
// as get answered. A connection that breaks is made anew. It returns an error when ctx ended
// or not one connection had an answer at the beginning.
func (c Closed) Run(ctx context.Context) (*Sample, error) {
	lines, err := newLines(ctx, c.Request, c.Connections, c.Timeout)
	if err != nil {
		return nil, err
	}
	defer lines.close()
	r := newRecorder()
	began := time.Now()
	var workers sync.WaitGroup
	for i := range lines.all {
		workers.Go(func() {
			for time.Since(began) < c.For && ctx.Err() == nil {
				if c.Pause != nil {
					pause(ctx, c.Pause())
				}
				due := time.Now()
				a, err := lines.ask(i)
				r.note(due, time.Now(), a, err)
				if err != nil {
					pause(ctx, afterFault)
				}
			}
		})
	}
	workers.Wait()
	r.sample.Elapsed = time.Since(began)
	return r.sample, context.Cause(ctx)
}

// afterFault keeps a server that refuses from being asked as fast as it can refuse.
const afterFault = 5 * time.Millisecond

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// lines are connections that send the same request; the end of ctx cuts them.
type lines struct {
	request Request
	timeout time.Duration
	release func() bool

	mu     sync.Mutex
	all    []*Conn // nil: broken
	closed bool
}

var errClosed = errors.New("the load has ended")

func newLines(ctx context.Context, request Request, n int, timeout time.Duration) (*lines, error) {
	l := &lines{request: request, timeout: timeout, all: make([]*Conn, n)}
	l.release = context.AfterFunc(ctx, l.cut)
	errs := make(chan error, n)
	for i := range l.all {
		go func() {
			_, err := l.ask(i)
			errs <- err
		}()
	}
	failed, last := 0, error(nil)
	for range l.all {
		if err := <-errs; err != nil {
			failed, last = failed+1, err
		}
	}
	if failed == n || ctx.Err() != nil {
		l.close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("not one request is answered: %w", last)
	}
	return l, nil
}

// ask sends the request on connection i, which one goroutine at a time does.
func (l *lines) ask(i int) (Answer, error) {
	c := l.all[i]
	if c == nil {
		var err error
		if c, err = Dial(l.request.Address, l.timeout); err != nil {
			return Answer{}, err
		}
		if err := l.put(i, c); err != nil {
			return Answer{}, err
		}
	}
	a, err := c.Do(l.request, nil)
	if err == nil && a.Status != http.StatusOK {
		err = statusError(a.Status)
	}
	if err != nil && !errors.As(err, new(statusError)) || a.Closing {
		_ = c.Close()
		_ = l.put(i, nil)
	}
	return a, err
}

func (l *lines) put(i int, c *Conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed && c != nil {
		_ = c.Close()
		return errClosed
	}
	l.all[i] = c
	return nil
}

// cut closes what is open and lets nothing new open.
func (l *lines) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, c := range l.all {
		if c != nil {
			_ = c.Close()
		}
	}
}

func (l *lines) close() {
	l.release()
	l.cut()
}
