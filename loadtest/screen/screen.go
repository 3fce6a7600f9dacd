// Package screen is where long runs of load tests tell how they go.
package screen

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Screen is where a run is told, a line at a time, each with the seconds since it began.
type Screen struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
}

// New is a screen of a run that begins now.
func New(out io.Writer) *Screen { return &Screen{out: out, began: time.Now()} }

// Linef tells a line.
func (s *Screen) Linef(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "%7.1fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// Every tells a line at a time, until it is stopped.
func (s *Screen) Every(each time.Duration, line func() string) (stop func()) {
	return Repeat(each, func() { s.Linef("%s", line()) })
}

// Repeat does something again and again, until it is stopped.
func Repeat(each time.Duration, do func()) (stop func()) {
	tick, done, ended := time.NewTicker(each), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-tick.C:
				do()
			case <-done:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		tick.Stop()
		close(done)
		<-ended
	})
}
