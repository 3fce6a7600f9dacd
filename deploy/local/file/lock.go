package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrLocked means that another process holds the folder.
var ErrLocked = errors.New("locked by another process")

// Lock holds a folder for one process; the kernel releases it when that process dies.
type Lock struct{ file *os.File }

// TryLock takes the lock file at path or returns ErrLocked with the holder's process id, when it is known.
func TryLock(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(f, 32))
		f.Close()
		return nil, fmt.Errorf("%s: %w (pid %s)", path, ErrLocked, orUnknown(strings.TrimSpace(string(holder))))
	}
	if err := f.Truncate(0); err != nil {
		f.Close()
		return nil, fmt.Errorf("write lock: %w", err)
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		f.Close()
		return nil, fmt.Errorf("write lock: %w", err)
	}
	return &Lock{f}, nil
}

// WaitLock takes the lock, waiting for another holder until ctx ends; waiting is called once if it has to.
func WaitLock(ctx context.Context, path string, waiting func()) (*Lock, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for first := true; ; first = false {
		lock, err := TryLock(path)
		if !errors.Is(err, ErrLocked) {
			return lock, err
		}
		if first && waiting != nil {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-tick.C:
		}
	}
}

// Release gives the lock back.
func (l *Lock) Release() { l.file.Close() }

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
