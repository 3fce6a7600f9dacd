package engine

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/weirhq/weir/deploy/local/file"
)

const (
	kafkaCommand      = "engine-kafka"
	clickhouseCommand = "engine-clickhouse"
	childLockWait     = 15 * time.Second
)

// Child runs the engine that args (os.Args[1:]) name and returns its exit code; false when they name none.
// A binary whose path is given to an engine's configuration has to call it first thing in main.
func Child(args []string) (code int, isChild bool) {
	if len(args) == 0 {
		return 0, false
	}
	var run func([]string) error
	switch args[0] {
	case kafkaCommand:
		run = kafkaChild
	case clickhouseCommand:
		run = clickhouseChild
	default:
		return 0, false
	}
	if err := run(args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", args[0], err)
		return 1, true
	}
	return 0, true
}

// lockData waits for a former child on the same folder to be gone.
func lockData(dir string) (*file.Lock, error) {
	ctx, cancel := context.WithTimeout(context.Background(), childLockWait)
	defer cancel()
	return file.WaitLock(ctx, filepath.Join(dir, "child.lock"), nil)
}

func stopSignals() <-chan os.Signal {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	return stop
}
