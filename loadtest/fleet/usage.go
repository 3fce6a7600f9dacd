package fleet

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks per second of proc_pid_stat(5); 100 on every Linux that Go runs on.
const ticks = 100

// consumption of a process so far.
type consumption struct {
	cpu      time.Duration
	resident int64 // bytes
}

func consumptionOf(pid int) (c consumption, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return c, err
	}
	fields := strings.Fields(string(raw)[strings.LastIndexByte(string(raw), ')')+1:])
	if len(fields) < 22 {
		return c, fmt.Errorf("process %d: unreadable stat", pid)
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	pages, err := strconv.ParseInt(fields[21], 10, 64)
	return consumption{cpu: time.Duration(user+system) * time.Second / ticks, resident: pages * int64(os.Getpagesize())}, err
}

// spending is processor time. Agents that share a core wait for each other as those on
// machines of their own do not: what they spend together bounds what a run can show.
type spending struct{ controlPlane, agents time.Duration }

func (f *fleet) spending() (spending, error) {
	controlPlane, err := consumptionOf(f.stack.ControlPlane.PID())
	if err != nil {
		return spending{}, err
	}
	agents, err := consumptionOf(os.Getpid())
	return spending{controlPlane.cpu, agents.cpu}, err
}
