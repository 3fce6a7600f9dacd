package budget

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
	return repeat(each, func() { s.linef("%s", line()) })
}

// repeat does something again and again, until it is stopped.
func repeat(each time.Duration, do func()) (stop func()) {
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

// findings are what is not as it must be, by check.
type findings struct {
	mu     sync.Mutex
	checks []string
	by     map[string][]string
}

// shown are findings of one check that are told; the others are counted.
const shown = 10

func newFindings() *findings { return &findings{by: map[string][]string{}} }

func (f *findings) add(check, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by[check] == nil {
		f.checks = append(f.checks, check)
	}
	f.by[check] = append(f.by[check], fmt.Sprintf(format, args...))
}

func (f *findings) lines() (lines []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, check := range f.checks {
		all := f.by[check]
		lines = append(lines, fmt.Sprintf("%s: %d times", check, len(all)))
		for _, text := range all[:min(shown, len(all))] {
			lines = append(lines, "    "+text)
		}
	}
	return lines
}
