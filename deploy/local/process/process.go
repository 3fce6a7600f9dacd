package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

const probeInterval = 50 * time.Millisecond

// Process is one run of a Program.
type Process struct {
	program Program
	cmd     *exec.Cmd
	log     string
	done    chan struct{}
	err     error // valid once done is closed
}

// Start runs the program with its output appended to the file log.
func Start(ctx context.Context, p Program, log string) (*Process, error) {
	if p.Before != nil {
		if err := p.Before(ctx); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", p.Name, err)
		}
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", p.Name, err)
	}
	defer out.Close()
	proc := &Process{program: p, cmd: p.command(), log: log, done: make(chan struct{})}
	proc.cmd.Stdout, proc.cmd.Stderr = out, out
	started := make(chan error, 1)
	go proc.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	return proc, nil
}

// run holds its thread for the child's whole life: the kernel ties the parent-death signal to the thread that forked.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended describes how the child ended, with the last lines of its log. Only to be called after Done.
func (p *Process) Ended() error {
	how := "exit status 0"
	if p.err != nil {
		how = p.err.Error()
	}
	return fmt.Errorf("%s ended (%s)%s", p.program.Name, how, lastLines(p.log, 5))
}

// Ready waits until the child's probe succeeds; it returns early when the child ends or ctx does.
func (p *Process) Ready(ctx context.Context) error {
	if p.program.Probe == nil {
		return nil
	}
	tick := time.NewTicker(probeInterval)
	defer tick.Stop()
	var last error
	for {
		if last = p.probe(ctx); last == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.Ended()
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w%s", p.program.Name, errors.Join(ctx.Err(), last), lastLines(p.log, 5))
		case <-tick.C:
		}
	}
}

func (p *Process) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return p.program.Probe(ctx)
}

// Stop asks the child to end, waits for its grace and then kills it. It returns when the child is gone.
func (p *Process) Stop() {
	p.signal(p.program.stopSignal())
	select {
	case <-p.done:
		return
	case <-time.After(p.program.grace()):
	}
	p.Kill()
}

// Kill ends the child at once and waits until it is gone.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

func (p *Process) signal(s syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = p.cmd.Process.Signal(s) // fails only when it has ended meanwhile, which Done tells
	}
}
