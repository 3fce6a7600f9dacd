package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirhq/weir/deploy/local/process"
)

// State is what a part is doing.
type State string

// The states of a part.
const (
	Starting   State = "starting"
	Ready      State = "ready"
	Down       State = "stopped"    // somebody took it down
	Restarting State = "restarting" // it ended by itself and is about to be started again
)

// Status is one part at one moment.
type Status struct {
	Part     string    `json:"part"`
	State    State     `json:"state"`
	PID      int       `json:"pid,omitempty"`
	Restarts int       `json:"restarts"`
	Since    time.Time `json:"since"`
	Reason   string    `json:"reason,omitempty"` // why it last ended by itself
	Log      string    `json:"log"`
}

const (
	firstBackoff = 200 * time.Millisecond
	lastBackoff  = 10 * time.Second
	steadyAfter  = 30 * time.Second // a run this long makes the next backoff the first again
	readyTimeout = 2 * time.Minute
	upWait       = 45 * time.Second // below what a request may take
	upEvery      = 50 * time.Millisecond
)

var errShutDown = errors.New("everything is being stopped")

// keeper runs one program. One goroutine (loop) starts and stops it; others only send it requests.
type keeper struct {
	program  process.Program
	log      string
	notify   func(part, what string)
	requests chan request
	quit     chan struct{}
	ended    chan struct{}

	mu  sync.Mutex
	now Status
}

type request struct {
	up    bool
	reply chan error
}

func newKeeper(p process.Program, log string, notify func(part, what string)) *keeper {
	return &keeper{
		program: p, log: log, notify: notify,
		requests: make(chan request), quit: make(chan struct{}), ended: make(chan struct{}),
		now: Status{Part: p.Name, Log: log},
	}
}

func (k *keeper) tell(up bool) error {
	r := request{up, make(chan error, 1)}
	select {
	case k.requests <- r:
		return <-r.reply
	case <-k.ended:
		return errShutDown
	}
}

func (k *keeper) shutdown() {
	close(k.quit)
	<-k.ended
}

// loop begins with a process that is ready.
func (k *keeper) loop(proc *process.Process) {
	defer close(k.ended)
	backoff, began := firstBackoff, time.Now()
	var retry <-chan time.Time
	for {
		select {
		case <-k.quit:
			k.stop(proc)
			return
		case r := <-k.requests:
			retry = nil
			proc, began = k.apply(r, proc), time.Now()
		case <-done(proc):
			if time.Since(began) > steadyAfter {
				backoff = firstBackoff
			}
			k.crashed(proc.Ended())
			proc, retry = nil, time.After(backoff)
			backoff = min(2*backoff, lastBackoff)
		case <-retry:
			retry = nil
			next, err := k.start()
			if err != nil {
				k.crashed(err)
				retry, backoff = time.After(backoff), min(2*backoff, lastBackoff)
			}
			proc, began = next, time.Now()
		}
	}
}

// done never delivers for a part that is down.
func done(proc *process.Process) <-chan struct{} {
	if proc == nil {
		return nil
	}
	return proc.Done()
}

func (k *keeper) apply(r request, proc *process.Process) *process.Process {
	if !r.up {
		k.stop(proc)
		k.set(Down, 0, "")
		k.notify(k.program.Name, "stopped, and kept down until it is started")
		r.reply <- nil
		return nil
	}
	if proc != nil {
		r.reply <- nil
		return proc
	}
	next, err := k.start()
	if err != nil {
		k.set(Down, 0, err.Error())
	}
	r.reply <- err
	return next
}

func (k *keeper) start() (*process.Process, error) {
	proc, err := process.Start(context.Background(), k.program, k.log)
	if err != nil {
		return nil, err
	}
	k.set(Starting, proc.PID(), "")
	go k.awaitReady(proc)
	return proc, nil
}

func (k *keeper) awaitReady(proc *process.Process) {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	if proc.Ready(ctx) != nil {
		return // its end is the loop's to report; one that hangs stays "starting"
	}
	k.mu.Lock()
	mine := k.now.PID == proc.PID() && k.now.State == Starting
	if mine {
		k.now.State, k.now.Since = Ready, time.Now()
	}
	k.mu.Unlock()
	if mine {
		k.notify(k.program.Name, "ready again")
	}
}

// untilReady returns nil once the part is ready, or why it is not.
func (k *keeper) untilReady(limit time.Duration) error {
	timeout, tick := time.After(limit), time.NewTicker(upEvery)
	defer tick.Stop()
	for {
		now := k.status()
		switch now.State {
		case Ready:
			return nil
		case Restarting, Down:
			return fmt.Errorf("%s did not start: %s", now.Part, now.Reason)
		case Starting:
		}
		select {
		case <-tick.C:
		case <-k.ended:
			return errShutDown
		case <-timeout:
			return fmt.Errorf("%s is still not ready after %v: see %s", now.Part, limit, now.Log)
		}
	}
}

func (k *keeper) stop(proc *process.Process) {
	if proc != nil {
		proc.Stop()
	}
}

func (k *keeper) crashed(why error) {
	k.mu.Lock()
	k.now.Restarts++
	k.mu.Unlock()
	k.set(Restarting, 0, why.Error())
	k.notify(k.program.Name, why.Error())
}

func (k *keeper) set(state State, pid int, reason string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now.State, k.now.PID, k.now.Since = state, pid, time.Now()
	if reason != "" {
		k.now.Reason = reason
	}
}

func (k *keeper) status() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.now
}
