package gateway

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/weirhq/weir/loadtest/proc"
)

// tick of proc_stat(5) on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// othersSince begins to look at what else runs here; the share of all cores that it had
// until the returned function is called.
func othersSince(targets []*target) (until func() float64) {
	busyThen, allThen := processorTime()
	ownThen := ownTime(targets)
	return func() float64 {
		busy, all := processorTime()
		if all == allThen {
			return 0
		}
		return max(0, (busy-busyThen-(ownTime(targets)-ownThen)).Seconds()/(all-allThen).Seconds())
	}
}

// processorTime is how long cores were busy, taken by a host for others too, and how long
// there were cores.
func processorTime() (busy, all time.Duration) {
	raw, _ := os.ReadFile("/proc/stat") // where there is none, nothing is said about others
	line, _, _ := strings.Cut(string(raw), "\n")
	for i, field := range strings.Fields(strings.TrimPrefix(line, "cpu")) {
		n, _ := strconv.ParseInt(field, 10, 64)
		if i > 7 {
			break // guests are counted in user, too
		}
		all += time.Duration(n) * tick
		if i != 3 && i != 4 { // idle, waiting for disks
			busy += time.Duration(n) * tick
		}
	}
	return busy, all
}

// ownTime is what this process, those that it started, and the targets have had. What has
// ended is counted where it was ours.
func ownTime(targets []*target) (own time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		if err := syscall.Getrusage(who, &usage); err == nil {
			own += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		}
	}
	for pid := range ours(targets) {
		spent, _ := proc.Time(pid) // 0 of one that ended
		own += spent
	}
	return own
}

// spent is the processor time of a target's process so far; 0: it is not known.
func (t *target) spent() time.Duration {
	if t.pid == 0 {
		return 0
	}
	spent, _ := proc.Time(t.pid)
	return spent
}

func ours(targets []*target) map[int]bool {
	pids := map[int]bool{}
	for _, t := range targets {
		if t.pid != 0 {
			pids[t.pid] = true
		}
	}
	return pids
}
