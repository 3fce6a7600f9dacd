// Package supervise keeps a set of child processes running: it restarts those that crash, keeps down those
// that somebody stopped, and takes all of them down in the reverse order of their start.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/weirhq/weir/deploy/local/process"
)

// ErrUnknownPart means that no part of that name was started.
var ErrUnknownPart = errors.New("no such part")

// Supervisor owns its parts from Start to Shutdown.
type Supervisor struct {
	logs   string
	notify func(part, what string)

	mu      sync.Mutex
	keepers []*keeper // in the order in which they became ready
}

// New keeps each part's output in <logs>/<part>.log. It calls notify, from several goroutines, when a part's state changes.
func New(logs string, notify func(part, what string)) (*Supervisor, error) {
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, fmt.Errorf("log folder: %w", err)
	}
	return &Supervisor{logs: logs, notify: notify}, nil
}

// Start runs a program for the first time and returns when it is ready, or an error if it ends before that.
// From then on it is restarted whenever it ends by itself.
func (s *Supervisor) Start(ctx context.Context, p process.Program) error {
	log := filepath.Join(s.logs, p.Name+".log")
	if err := rotate(log); err != nil {
		return err
	}
	proc, err := process.Start(ctx, p, log)
	if err != nil {
		return err
	}
	if err := proc.Ready(ctx); err != nil {
		proc.Kill()
		return err
	}
	k := newKeeper(p, log, s.notify)
	k.set(Ready, proc.PID(), "")
	go k.loop(proc)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepers = append(s.keepers, k)
	return nil
}

// Down stops a part and keeps it down. It returns when the part is gone.
func (s *Supervisor) Down(part string) error {
	k, err := s.find(part)
	if err != nil {
		return err
	}
	return k.tell(false)
}

// Up starts a part again that was taken down. It returns when the part is ready, or says why it is not.
func (s *Supervisor) Up(part string) error {
	k, err := s.find(part)
	if err != nil {
		return err
	}
	if err := k.tell(true); err != nil {
		return err
	}
	return k.untilReady(upWait)
}

func (s *Supervisor) find(part string) (*keeper, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, k := range s.keepers {
		if k.program.Name == part {
			return k, nil
		}
		names = append(names, k.program.Name)
	}
	return nil, UnknownPart(part, names)
}

// UnknownPart is an ErrUnknownPart that lists the parts there are.
func UnknownPart(part string, names []string) error {
	return fmt.Errorf("%w: %q (there are %s)", ErrUnknownPart, part, strings.Join(names, ", "))
}

// Status lists all parts that were ready once, in that order.
func (s *Supervisor) Status() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Status, 0, len(s.keepers))
	for _, k := range s.keepers {
		all = append(all, k.status())
	}
	return all
}

// Shutdown stops every part, last started first, and returns when all are gone.
func (s *Supervisor) Shutdown() {
	s.mu.Lock()
	keepers := slices.Clone(s.keepers)
	s.mu.Unlock()
	for _, k := range slices.Backward(keepers) {
		k.shutdown()
	}
}

// rotate keeps one older log, so that logs don't grow over many runs.
func rotate(log string) error {
	err := os.Rename(log, log+".1")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("rotate log: %w", err)
	}
	return nil
}
