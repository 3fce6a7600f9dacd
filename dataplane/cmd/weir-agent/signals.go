package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// told ends ctx at the first signal to stop, and hurry at the second. A third one ends the
// process.
func told(parent context.Context) (ctx context.Context, hurry <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancel(parent)
	signals, again, released := make(chan os.Signal, 2), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		for _, next := range []func(){cancel, func() { signal.Stop(signals); close(again) }} {
			select {
			case <-signals:
				next()
			case <-released:
				return
			}
		}
	}()
	return ctx, again, func() {
		signal.Stop(signals)
		close(released)
		cancel()
	}
}
