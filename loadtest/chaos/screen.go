package chaos

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// screen is where the run is told, a line at a time, each with the seconds since it began.
type screen struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
}

func newScreen(out io.Writer) *screen { return &screen{out: out, began: time.Now()} }

func (s *screen) linef(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "%7.1fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// every tells a line at a time, until it is stopped.
func (s *screen) every(each time.Duration, line func() string) (stop func()) {
	tick, done, ended := time.NewTicker(each), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-tick.C:
				s.linef("%s", line())
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
