package fleet

import (
	"os"
	"time"

	"github.com/weirhq/weir/loadtest/proc"
)

// consumption of a process so far.
type consumption struct {
	cpu      time.Duration
	resident int64 // bytes
}

func consumptionOf(pid int) (c consumption, err error) {
	if c.cpu, err = proc.Time(pid); err != nil {
		return c, err
	}
	c.resident, err = proc.Resident(pid)
	return c, err
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
