// Package process starts, watches and stops child processes so that none outlives its parent: not after
// Stop, and not after kill -9 of the parent. It knows nothing about what the children are.
package process

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

// Program says how to start one child and when it counts as ready. It can be started any number of times, one at a time.
type Program struct {
	Name string
	Path string
	Args []string
	Env  []string // nil: the parent's
	Dir  string

	// User runs the child under another uid and gid; nil keeps the parent's.
	User *User

	// StopSignal asks the child to end (default SIGTERM); Grace is how long it has until SIGKILL (default 10 s).
	StopSignal syscall.Signal
	Grace      time.Duration

	// DeathSignal is what the kernel sends the child when the parent dies (default SIGKILL).
	DeathSignal syscall.Signal

	// Before runs ahead of every start, to clear away what an earlier, killed run left. Nil: nothing to do.
	Before func(ctx context.Context) error

	// Probe returns nil once the child answers. Nil: ready as soon as it runs.
	Probe func(ctx context.Context) error
}

func (p Program) command() *exec.Cmd {
	cmd := exec.Command(p.Path, p.Args...)
	cmd.Env, cmd.Dir = p.Env, p.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true, // Ctrl-C in a terminal must not reach children ahead of the ordered stop
		Pdeathsig: p.deathSignal(),
	}
	p.User.Apply(cmd)
	return cmd
}

func (p Program) stopSignal() syscall.Signal {
	if p.StopSignal == 0 {
		return syscall.SIGTERM
	}
	return p.StopSignal
}

func (p Program) deathSignal() syscall.Signal {
	if p.DeathSignal == 0 {
		return syscall.SIGKILL
	}
	return p.DeathSignal
}

func (p Program) grace() time.Duration {
	if p.Grace == 0 {
		return 10 * time.Second
	}
	return p.Grace
}
