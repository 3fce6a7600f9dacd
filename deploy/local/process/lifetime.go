package process

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// Causes of the end of a Lifetime.
var (
	ErrSignal   = errors.New("stopped by a signal")
	ErrOrphaned = errors.New("whoever started this is gone")
)

// Lifetime ends at Ctrl-C, SIGTERM, SIGHUP, or when the "go run" or make above was killed.
func Lifetime() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	orphaned := Orphaned(ctx)
	go func() {
		select {
		case <-signals:
			cancel(ErrSignal)
		case <-orphaned:
			cancel(ErrOrphaned)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}
