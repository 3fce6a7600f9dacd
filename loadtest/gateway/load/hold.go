package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Hold opens streams and keeps them open.
type Hold struct {
	Request Request
	Streams int
	// Dialing is how many are opened at a time, Timeout how long the first byte of one may
	// take.
	Dialing int
	Timeout time.Duration
}

// Held are open streams.
type Held struct {
	broken  atomic.Int64
	readers sync.WaitGroup

	mu     sync.Mutex
	conns  []*Conn
	ending bool
}

// Open returns once the first byte of each came. Then what comes is read, until Close.
func (h Hold) Open(ctx context.Context) (*Held, error) {
	held := &Held{}
	defer context.AfterFunc(ctx, held.cut)()
	errs := make(chan error, 1)
	var opening sync.WaitGroup
	var next atomic.Int64
	for range max(1, h.Dialing) {
		opening.Go(func() {
			for i := next.Add(1) - 1; i < int64(h.Streams) && len(errs) == 0 && ctx.Err() == nil; i = next.Add(1) - 1 {
				if err := h.one(held); err != nil {
					select {
					case errs <- fmt.Errorf("stream %d of %d: %w", i+1, h.Streams, err):
						held.cut()
					default:
					}
				}
			}
		})
	}
	opening.Wait()
	err := context.Cause(ctx)
	if err == nil && len(errs) > 0 {
		err = <-errs
	}
	if err != nil {
		held.Close()
		return nil, err
	}
	return held, nil
}

func (h Hold) one(held *Held) error {
	c, err := Dial(h.Request.Address, h.Timeout)
	if err != nil {
		return err
	}
	if !held.keep(c) {
		return errClosed
	}
	if err := c.Send(h.Request); err != nil {
		return err
	}
	a, length, err := c.Head()
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		return statusError(a.Status)
	}
	if length == 0 {
		return errors.New("the answer has no body")
	}
	if _, err := c.r.Peek(1); err != nil {
		return fmt.Errorf("the stream's first byte: %w", err)
	}
	if err := c.net.SetDeadline(time.Time{}); err != nil {
		return err
	}
	held.readers.Go(func() { held.read(c) })
	return nil
}

// read ends when the stream does. Its end is told by its last chunk, too: a server may keep
// the connection.
func (held *Held) read(c *Conn) {
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil || bytes.Equal(bytes.TrimSpace(line), []byte("data: [DONE]")) {
			break
		}
	}
	held.mu.Lock()
	defer held.mu.Unlock()
	if !held.ending {
		held.broken.Add(1)
	}
}

// Broken is how many ended though nobody closed them.
func (held *Held) Broken() int64 { return held.broken.Load() }

// Close drops all of them and waits for their ends here.
func (held *Held) Close() {
	held.cut()
	held.readers.Wait()
}

func (held *Held) keep(c *Conn) bool {
	held.mu.Lock()
	defer held.mu.Unlock()
	if held.ending {
		_ = c.Close()
		return false
	}
	held.conns = append(held.conns, c)
	return true
}

func (held *Held) cut() {
	held.mu.Lock()
	defer held.mu.Unlock()
	held.ending = true
	for _, c := range held.conns {
		_ = c.Close()
	}
}
