package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const leftoverGrace = 10 * time.Second

// clearPostgres ends servers and sessions that a killed parent left on the data folder, and only those. It then removes a lock file
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

// processesIn lists postgres processes on a data folder: PostgreSQL makes it its working folder, which root in a
// container may not be allowed to look at; the server names it in its arguments, too.
func processesIn(data string) (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		arguments, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		cwd, _ := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		if isServerOf(string(arguments), data) || (cwd == data && isSession(string(arguments))) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func isServerOf(arguments, data string) bool {
	argv := strings.Split(arguments, "\x00")
	return len(argv) > 2 && filepath.Base(argv[0]) == "postgres" && argv[1] == "-D" && argv[2] == data
}

// isSession knows the title that PostgreSQL gives its sessions and background processes.
func isSession(arguments string) bool { return strings.HasPrefix(arguments, "postgres: ") }
