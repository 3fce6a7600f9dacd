package process

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// launchers only wait for what they start. When one is killed nobody is left to stop us.
var launchers = map[string]bool{"go": true, "make": true, "gmake": true}

// shells count only between two launchers: make may run its recipes through one.
var shells = map[string]bool{"sh": true, "bash": true, "dash": true}

type ancestor struct {
	pid     int
	started string // clock ticks since boot: tells a reused process id apart
}

// Orphaned returns a channel that is closed when a launcher above this process ("go run", make) has died. The
// kernel's own parent-death signal reaches one level only, and make is above "go run", which is above us.
func Orphaned(ctx context.Context) <-chan struct{} {
	orphaned := make(chan struct{})
	above := launchersAbove(os.Getppid())
	if len(above) == 0 {
		return orphaned
	}
	go func() {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			for _, a := range above {
				if _, _, started, err := readStat(a.pid); err != nil || started != a.started {
					close(orphaned)
					return
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return orphaned
}

func launchersAbove(pid int) (above []ancestor) {
	var between []ancestor
	for pid > 1 {
		name, parent, started, err := readStat(pid)
		if err != nil || (!launchers[name] && !shells[name]) {
			return above
		}
		between = append(between, ancestor{pid, started})
		if launchers[name] {
			above, between = append(above, between...), nil
		}
		pid = parent
	}
	return above
}

// readStat reads name, parent and start time of a process that is not a zombie; see proc_pid_stat(5).
func readStat(pid int) (name string, parent int, started string, err error) {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", 0, "", err
	}
	text := string(raw)
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return "", 0, "", fmt.Errorf("process %d: unreadable stat", pid)
	}
	fields := strings.Fields(text[end+1:])
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return "", 0, "", fmt.Errorf("process %d has ended", pid)
	}
	parent, err = strconv.Atoi(fields[1])
	return text[open+1 : end], parent, fields[19], err
}
