package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const leftoverGrace = 10 * time.Second

// clearPostgres ends servers and sessions that a killed parent left on the data folder, and only those: they
// are found by their working folder, which PostgreSQL sets to its data folder. It then removes a lock file
// whose process is gone, since PostgreSQL itself mistakes a reused process id for a living server.
func clearPostgres(ctx context.Context, data string) error {
	deadline := time.Now().Add(leftoverGrace)
	for round := 0; ; round++ {
		left := processesIn(data)
		if len(left) == 0 {
			break
		}
		sig := syscall.SIGQUIT
		if time.Now().After(deadline) {
			sig = syscall.SIGKILL
		}
		if round == 0 || sig == syscall.SIGKILL {
			for _, pid := range left {
				_ = syscall.Kill(pid, sig)
			}
		}
		if time.Now().After(deadline.Add(leftoverGrace)) {
			return fmt.Errorf("processes %v still use %s", left, data)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	if err := os.Remove(filepath.Join(data, "postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a stale lock file: %w", err)
	}
	return nil
}

// processesIn lists postgres processes whose working folder is dir.
func processesIn(dir string) (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		cwd, err := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		if err != nil || cwd != dir {
			continue
		}
		exe, err := os.Readlink(filepath.Join("/proc", e.Name(), "exe"))
		if err == nil && filepath.Base(exe) == "postgres" {
			pids = append(pids, pid)
		}
	}
	return pids
}
