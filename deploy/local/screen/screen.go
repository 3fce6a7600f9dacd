// Package screen writes how a start goes on.
package screen

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Screen writes one line per thing that happens: readable in a terminal and in a log file alike.
type Screen struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
}

// New counts seconds from began, which may be when a program before this one began.
func New(out io.Writer, began time.Time) *Screen { return &Screen{out: out, began: began} }

func (s *Screen) line(mark, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "%6.1fs %s %s\n", time.Since(s.began).Seconds(), mark, fmt.Sprintf(format, args...))
}

// Note tells something that happened later on.
func (s *Screen) Note(format string, args ...any) { s.line("·", format, args...) }

// Step runs one step of the start and tells how long it took.
func (s *Screen) Step(name, what string, run func() error) error {
	began := time.Now()
	s.line("…", "%-13s %s", name, what)
	if err := run(); err != nil {
		return err
	}
	s.line("✓", "%-13s %s, took %.1f s", name, what, time.Since(began).Seconds())
	return nil
}

// SlowStep is a Step that is shown only if it takes a second or more.
func (s *Screen) SlowStep(name, what string, run func() error) error {
	began := time.Now()
	shown := time.AfterFunc(time.Second, func() { s.line("…", "%-13s %s", name, what) })
	err := run()
	if hidden := shown.Stop(); err != nil || hidden {
		return err
	}
	s.line("✓", "%-13s %s, took %.1f s", name, what, time.Since(began).Seconds())
	return nil
}

// Write passes whole lines of somebody else on, between our own.
func (s *Screen) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(lines)
}
