package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
	"github.com/weirhq/weir/deploy/local/screen"
	"github.com/weirhq/weir/deploy/local/supervise"
)

// run starts everything and stays until ctx ends.
func run(ctx context.Context, out io.Writer, parts partTable) error {
	s, err := readSettings()
	if err != nil {
		return err
	}
	if s.embedsEngines() {
		if err := fetch.Supported(); err != nil {
			return err
		}
	}
	lock, err := own(ctx, s.dir)
	if err != nil {
		return err
	}
	defer lock.Release()
	if err := removeEnv(s); err != nil {
		return err
	}
	if err := freeForUs(ctx, s); err != nil {
		return err
	}
	holds, err := openHolding(s)
	if err != nil {
		return err
	}
	return explain(s, supervised(ctx, s, holds, screen.New(out, began()), parts))
}

const (
	killedWait = 2 * time.Second  // a run whose launcher was killed notices within this
	endingWait = 30 * time.Second // and stops its parts within this
)

// own takes the folder, so that two runs never share one. It waits for a run that is ending, but not for one that lives.
func own(ctx context.Context, dir string) (*file.Lock, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("local folder: %w", err)
	}
	lock, err := lockWithin(ctx, dir, killedWait)
	if errors.Is(err, file.ErrLocked) {
		if _, ask := supervise.Ask(ctx, dir, supervise.Request{Verb: "status"}); errors.Is(ask, supervise.ErrNotRunning) {
			lock, err = lockWithin(ctx, dir, endingWait)
		}
	}
	if errors.Is(err, file.ErrLocked) {
		return nil, fmt.Errorf("another run uses this folder: %w; stop it, or set WEIR_LOCAL_DIR and the WEIR_PORT_… variables for a second one", err)
	}
	return lock, err
}

func lockWithin(ctx context.Context, dir string, wait time.Duration) (*file.Lock, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return file.WaitLock(ctx, filepath.Join(dir, "lock"), nil)
}

func supervised(ctx context.Context, s settings, holds *holding, out *screen.Screen, parts partTable) error {
	st, err := newStack(s, holds, parts, out)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	go func() { served <- supervise.Serve(serving, s.dir, st.supervisor) }()

	err = st.live(ctx)
	stopServing()
	out.Note("stopping")
	err = errors.Join(err, removeEnv(s), <-served)
	st.supervisor.Shutdown()
	out.Note("stopped; the data is kept in %s", s.dir)
	return err
}

// live boots and then waits for the end.
func (s *stack) live(ctx context.Context) error {
	err := s.boot(ctx)
	if err == nil {
		err = writeEnv(s)
	}
	if err == nil {
		s.welcome()
		<-ctx.Done()
	}
	if stopped := context.Cause(ctx); stopped != nil { // asked to stop, while starting or later: not a fault
		if errors.Is(stopped, process.ErrOrphaned) {
			s.screen.Note("%v", stopped)
		}
		err = nil
	}
	return err
}

// began is when the launcher did, so that the seconds on the screen count from there.
func began() time.Time {
	ms, err := strconv.ParseInt(os.Getenv("WEIR_BEGAN_MS"), 10, 64)
	if err != nil {
		return time.Now()
	}
	return time.UnixMilli(ms)
}
