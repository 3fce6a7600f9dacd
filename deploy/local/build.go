package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/weirhq/weir/deploy/local/engine"
)

// buildBinaries makes the control plane and the agent; the Go build cache makes it quick when nothing changed.
func buildBinaries(ctx context.Context, s *stack) error {
	bin := filepath.Join(s.cache, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return fmt.Errorf("folder of binaries: %w", err)
	}
	lock, err := engine.WaitLock(ctx, filepath.Join(bin, "lock"), nil)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	defer lock.Release()
	runtime.LockOSThread() // the parent-death signal is tied to the thread that starts the child
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", bin+string(filepath.Separator), "./controlplane/cmd/weir-controlplane", "./dataplane/cmd/weir-agent")
	cmd.Dir = s.root
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("go is not on the PATH: install Go 1.26 or newer, it builds the control plane and the agent")
	}
	if err != nil {
		return fmt.Errorf("build: %w:\n%s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
