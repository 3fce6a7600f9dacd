package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
)

// withEngines runs a command that finds throwaway engines in its environment and returns the command's exit code.
func withEngines(ctx context.Context, args []string) int {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return 2
	}
	code, err := runWithEngines(ctx, args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "with-engines: %v\n", err)
		return 1
	}
	return code
}

func runWithEngines(ctx context.Context, args []string) (int, error) {
	engines, err := fetchEngines(ctx)
	if err != nil {
		return 0, err
	}
	dir, err := newScratch()
	if err != nil {
		return 0, err
	}
	defer dir.remove()
	env, stop, err := startEngines(ctx, engines, dir.path)
	defer stop()
	if err != nil {
		return 0, err
	}
	return runCommand(ctx, args, env)
}

func fetchEngines(ctx context.Context) (fetch.Installation, error) {
	root, err := file.RepositoryRoot()
	if err != nil {
		return fetch.Installation{}, err
	}
	cache, err := fetch.CacheDir(root)
	if err != nil {
		return fetch.Installation{}, err
	}
	return fetch.Engines(ctx, cache, os.Stderr)
}

// runCommand gives the command our terminal and our process group, so that Ctrl-C reaches it directly.
func runCommand(ctx context.Context, args, env []string) (int, error) {
	runtime.LockOSThread() // the parent-death signal is tied to the thread that starts the child
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		if exit.ExitCode() < 0 {
			return 128 + int(exit.Sys().(syscall.WaitStatus).Signal()), nil
		}
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("run %s: %w", args[0], err)
	}
	return 0, nil
}
