// Package engine configures and starts the embedded engines of a development machine: PostgreSQL,
// ClickHouse and a Kafka broker, each the real one in a child process. It knows no schema and neither plane.
package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
)

const readyTimeout = 60 * time.Second

// Running is an engine that answers. Its folder is locked until it is stopped.
type Running struct {
	*process.Process
	lock *file.Lock
}

// Stop ends the engine in order and returns when it is gone.
func (r Running) Stop() {
	r.Process.Stop()
	r.lock.Release()
}

// Kill ends the engine at once and returns when it is gone.
func (r Running) Kill() {
	r.Process.Kill()
	r.lock.Release()
}

// start runs a prepared engine and waits until it answers.
func start(ctx context.Context, p process.Program, dir string) (Running, error) {
	lock, err := file.TryLock(filepath.Join(dir, "lock"))
	if err != nil {
		return Running{}, fmt.Errorf("start %s: %w", p.Name, err)
	}
	proc, err := process.Start(ctx, p, filepath.Join(dir, p.Name+".log"))
	if err != nil {
		lock.Release()
		return Running{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := proc.Ready(ctx); err != nil {
		proc.Kill()
		lock.Release()
		return Running{}, err
	}
	return Running{proc, lock}, nil
}
