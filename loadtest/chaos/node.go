package chaos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/weirhq/weir/deploy/local/process"
)

// again is the pause before a process that ended, or never answered, is started anew.
const again = 300 * time.Millisecond

// node is one process that is to run, whatever happens to it: whenever it ends it is
// started again, as a supervisor does.
type node struct {
	name    string
	program process.Program
	log     string
	// ours: a program of Weir. It must not end unless it was told to or killed.
	ours bool
	// disk that it keeps its data on; nil: one that is not filled.
	disk *disk

	stop context.CancelFunc
	done chan struct{}

	mu     sync.Mutex
	now    *process.Process // nil: none runs
	ready  bool
	killed bool     // on purpose, the one that runs now
	held   bool     // not to be started
	ended  []string // by itself, or not in order
	starts int
}

// start begins to supervise, and returns once the process answers.
func (n *node) start(ctx context.Context) error {
	lifetime, stop := context.WithCancel(context.WithoutCancel(ctx))
	n.stop, n.done = stop, make(chan struct{})
	go n.supervise(lifetime)
	return n.await(ctx)
}

// await returns once the process answers.
func (n *node) await(ctx context.Context) error {
	for {
		n.mu.Lock()
		ready := n.ready
		n.mu.Unlock()
		if ready {
			return nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("%s does not answer: %w (its log: %s)", n.name, err, n.log)
		}
	}
}

func (n *node) supervise(ctx context.Context) {
	defer close(n.done)
	for ctx.Err() == nil {
		n.once(ctx)
		_ = pause(ctx, again)
	}
}

// once runs the process from its start to its end.
func (n *node) once(ctx context.Context) {
	n.mu.Lock()
	held := n.held
	n.mu.Unlock()
	if held {
		return
	}
	started, err := process.Start(ctx, n.program, n.log)
	if err != nil {
		return // a disk is full, say
	}
	n.mu.Lock()
	n.now, n.killed, n.starts = started, false, n.starts+1
	n.mu.Unlock()
	if started.Ready(ctx) == nil {
		n.mu.Lock()
		n.ready = true
		n.mu.Unlock()
	}
	select {
	case <-started.Done():
	case <-ctx.Done():
		n.end(started)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	how := started.Ended().Error()
	inOrder := n.held && strings.Contains(how, "exit status 0")
	if n.ready && !n.killed && !inOrder && ctx.Err() == nil {
		n.ended = append(n.ended, how)
	}
	n.now, n.ready = nil, false
}

// end is for the end of the run. Agents would wait for their usage to be delivered.
func (n *node) end(p *process.Process) {
	if n.ours {
		p.Kill()
		return
	}
	p.Stop()
}

// kill is kill -9; the supervisor starts it again. false: none ran.
func (n *node) kill() bool {
	n.mu.Lock()
	running := n.now
	n.killed = true
	n.mu.Unlock()
	if running == nil {
		return false
	}
	running.Kill()
	return true
}

// finish has the process end in order, and not start again.
func (n *node) finish() {
	n.mu.Lock()
	n.held = true
	running := n.now
	n.mu.Unlock()
	if running != nil {
		running.Stop()
	}
}

// freeze stops the process and all that it started, as PostgreSQL its sessions, which are in
// groups of their own, until thaw. A shell goes between: should we be killed meanwhile, it
// thaws them, so that they can end as well.
func (n *node) freeze() (thaw func(), frozen bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	thaw = func() {}
	if n.now == nil {
		return thaw, false
	}
	script := "read _; kill -CONT"
	pids := family(n.now.PID())
	for _, pid := range pids {
		script += " " + strconv.Itoa(pid)
	}
	guard := exec.Command("/bin/sh", "-c", script)
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	reads, err := guard.StdinPipe()
	if err != nil || guard.Start() != nil {
		return thaw, false
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // it may have ended
	}
	return sync.OnceFunc(func() {
		_ = reads.Close()
		_ = guard.Wait() // who has ended can't be thawed
	}), true
}

func family(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		for _, task := range tasks {
			children, _ := os.ReadFile(task)
			for child := range strings.FieldsSeq(string(children)) {
				if id, err := strconv.Atoi(child); err == nil {
					all = append(all, id)
				}
			}
		}
	}
	return all
}

func (n *node) close() {
	if n.stop == nil {
		return
	}
	n.stop()
	<-n.done
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
