package process

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func shell(script string) Program {
	return Program{Name: "child", Path: "/bin/sh", Args: []string{"-c", script}, Grace: 100 * time.Millisecond}
}

func start(t *testing.T, p Program) *Process {
	t.Helper()
	proc, err := Start(t.Context(), p, filepath.Join(t.TempDir(), "child.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proc.Kill)
	return proc
}

func never(context.Context) error { return errors.New("no answer") }

func TestProcess(t *testing.T) {
	t.Run("kills_what_does_not_stop_within_its_grace", func(t *testing.T) {
		start(t, shell(`trap "" TERM; while :; do sleep 1; done`)).Stop()
	})
	t.Run("ready_tells_how_it_ended_and_what_it_said", func(t *testing.T) {
		p := shell("echo out of paper >&2; exit 3")
		p.Probe = never
		err := start(t, p).Ready(t.Context())
		if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "out of paper") {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("ready_ends_with_its_context_and_names_the_last_answer", func(t *testing.T) {
		p := shell("exec sleep 60")
		p.Probe = never
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		err := start(t, p).Ready(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer") {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("a_missing_binary_is_an_error", func(t *testing.T) {
		if _, err := Start(t.Context(), Program{Name: "child", Path: "/nonexistent"}, filepath.Join(t.TempDir(), "log")); err == nil {
			t.Fatal("it started")
		}
	})
}
