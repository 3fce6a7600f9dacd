// Package proc tells what processes of this machine took of it, as Linux counts.
package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Time is the processor time of a process and all of its threads so far, its children's
// not included.
func Time(pid int) (time.Duration, error) {
	var now unix.Timespec
	// The clock of a process is its complemented id with 2 for "what the scheduler gave it":
	// clock_getcpuclockid(3) computes the same.
	if err := unix.ClockGettime(int32(^pid<<3|2), &now); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(now.Nano()), nil
}

// Resident is the memory of a process, bytes.
func Resident(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, fmt.Errorf("memory of process %d: %w", pid, err)
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0, fmt.Errorf("memory of process %d: unreadable statm", pid)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
