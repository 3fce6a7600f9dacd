package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/deploy/local/engine"
)

// local is one folder with its ports, and the runs in it.
type local struct {
	t     *testing.T
	dir   string
	extra []string
	ports map[string]int
}

func newLocal(t *testing.T, extra ...string) *local {
	t.Helper()
	numbers, err := engine.FreePorts(len(allPorts))
	must(t, err)
	l := &local{t: t, dir: filepath.Join(t.TempDir(), strings.Repeat("long/", 25), "local"), extra: extra, ports: map[string]int{}}
	for i, p := range allPorts {
		l.ports[p.variable] = numbers[i]
	}
	return l
}

func (l *local) env() []string {
	env := append(os.Environ(), asProgram+"=1", "WEIR_LOCAL_DIR="+l.dir)
	for name, n := range l.ports {
		env = append(env, "WEIR_PORT_"+name+"="+strconv.Itoa(n))
	}
	return append(env, l.extra...)
}

func (l *local) command(args ...string) *exec.Cmd {
	l.t.Helper()
	self, err := os.Executable()
	must(l.t, err)
	cmd := exec.CommandContext(l.t.Context(), self, args...)
	cmd.Env = l.env()
	return cmd
}

// running is one "local run".
type running struct {
	l     *local
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

func (l *local) run() *running {
	l.t.Helper()
	log, err := os.Create(filepath.Join(l.t.TempDir(), "run.log"))
	must(l.t, err)
	defer log.Close()
	r := &running{l: l, cmd: l.command("run"), log: log.Name(), ended: make(chan struct{})}
	r.cmd.Stdout, r.cmd.Stderr = log, log
	must(l.t, r.cmd.Start())
	go func() {
		_ = r.cmd.Wait()
		close(r.ended)
	}()
	l.t.Cleanup(r.stop)
	return r
}

// ready waits for the env file of this run.
func (r *running) ready() *running {
	r.l.t.Helper()
	within(r.l.t, 60*time.Second, func() error {
		select {
		case <-r.ended:
			r.l.t.Fatalf("the run ended:\n%s", r.output())
		default:
		}
		_, err := os.Stat(filepath.Join(r.l.dir, "env"))
		return err
	})
	return r
}

func (r *running) output() string {
	r.l.t.Helper()
	out, err := os.ReadFile(r.log)
	must(r.l.t, err)
	return string(out)
}

// stop is Ctrl-C.
func (r *running) stop() {
	_ = r.cmd.Process.Signal(os.Interrupt)
	<-r.ended
}

func (r *running) kill() {
	_ = r.cmd.Process.Kill()
	<-r.ended
	if err := os.Remove(filepath.Join(r.l.dir, "env")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.l.t.Fatal(err)
	}
}

// do runs one of the short commands and returns what it printed.
func (l *local) do(args ...string) (string, error) {
	l.t.Helper()
	out, err := l.command(args...).CombinedOutput()
	return string(out), err
}

func (l *local) pid(part string) int {
	l.t.Helper()
	out, err := l.do("status", part)
	if err != nil {
		l.t.Fatalf("status %s: %v\n%s", part, err, out)
	}
	_, rest, _ := strings.Cut(out, "pid ")
	pid, err := strconv.Atoi(strings.Fields(rest)[0])
	must(l.t, err)
	return pid
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func within(t *testing.T, limit time.Duration, check func() error) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %v", limit, err)
		}
	}
}
