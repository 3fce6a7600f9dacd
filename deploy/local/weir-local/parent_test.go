package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestKilledLauncher(t *testing.T) {
	for _, launcher := range []string{"make", "go"} {
		t.Run(launcher+"_takes_everything_down", func(t *testing.T) {
			l := newLocal(t)
			inner := l.command("run")
			script := filepath.Join(t.TempDir(), launcher) // a script's process has the name of its file
			must(t, os.WriteFile(script, []byte("#!/bin/sh\n"+inner.Path+" run &\nwait\n"), 0o755))
			outer := exec.Command(script)
			outer.Env = inner.Env
			must(t, outer.Start())
			within(t, 3*time.Minute, func() error {
				_, err := os.Stat(filepath.Join(l.dir, "env"))
				return err
			})
			postgres := l.pid("postgres")
			must(t, outer.Process.Kill())
			_ = outer.Wait()
			within(t, 20*time.Second, func() error {
				if syscall.Kill(postgres, 0) == nil {
					return os.ErrExist
				}
				return nil
			})
			l.run().ready()
		})
	}
}
