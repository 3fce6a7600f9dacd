package main

import (
	"syscall"
	"testing"
)

func TestToldTwice(t *testing.T) {
	ctx, hurry, release := told(t.Context())
	defer release()
	stop := func() {
		t.Helper()
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	<-ctx.Done()
	select {
	case <-hurry:
		t.Fatal("told once, it hurries")
	default:
	}
	stop()
	<-hurry
}
