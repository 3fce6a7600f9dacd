package gateway

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/weirhq/weir/loadtest/gateway/report"
)

// placement says which core runs what.
type placement struct {
	proxy, generator, mock []int
}

// place divides the cores that this process may use: the proxies share one, for only one of
// them has work at a time.
func place(cores []int) placement {
	switch len(cores) {
	case 1:
		return placement{cores, cores, cores}
	case 2:
		return placement{cores[:1], cores[1:], cores[1:]}
	}
	return placement{cores[:1], cores[2:], cores[1:2]}
}

func (p placement) String() string {
	text := fmt.Sprintf("each proxy alone on core %v with GOMAXPROCS=1, generator on %v, upstream on %v", p.proxy, p.generator, p.mock)
	if slices.Equal(p.proxy, p.generator) {
		text += " (one core for all: nothing here says more than which is slower)"
	}
	return text
}

func allowedCores() (cores []int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("which cores this process may use: %w", err)
	}
	for core := range 1024 {
		if set.IsSet(core) {
			cores = append(cores, core)
		}
	}
	return cores, nil
}

// pin keeps all threads of a process, and those that they will start, on cores.
func pin(pid int, cores []int) error {
	var set unix.CPUSet
	for _, core := range cores {
		set.Set(core)
	}
	done := map[string]bool{}
	for found := true; found; {
		found = false
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return fmt.Errorf("threads of process %d: %w", pid, err)
		}
		for _, thread := range threads {
			if done[thread.Name()] {
				continue
			}
			found, done[thread.Name()] = true, true // one that was started meanwhile may have what its parent had before
			id, err := strconv.Atoi(thread.Name())
			if err != nil {
				return err
			}
			if err := unix.SchedSetaffinity(id, &set); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("pin process %d: %w", pid, err)
			}
		}
	}
	return nil
}

// listener finds the process that listens on a port of this machine; 0: it can't be seen.
func listener(port string) int {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return 0
	}
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		for _, fields := range table10(table) {
			if strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", n)) && fields[3] == "0A" {
				sockets["socket:["+fields[9]+"]"] = true
			}
		}
	}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*") // what may not be read is not ours to measure
	for _, file := range files {
		if to, err := os.Readlink(file); err == nil && sockets[to] {
			pid, _ := strconv.Atoi(strings.Split(file, "/")[2])
			return pid
		}
	}
	return 0
}

// table10 are the rows of a table in /proc that have ten fields or more.
func table10(path string) (rows [][]string) {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) >= 10 {
			rows = append(rows, fields)
		}
	}
	return rows
}

// raiseFiles lets this process, and those it starts, open so many files.
func raiseFiles(want int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Max < uint64(want) {
		return fmt.Errorf("%d open streams take %d open files in a proxy, this machine lets a process have %d: raise it (ulimit -Hn), or use fewer --open-streams",
			want/2, want, limit.Max)
	}
	limit.Cur = limit.Max
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// machine describes where this runs.
func machine(root string) report.Machine {
	m := report.Machine{OS: runtime.GOOS + "/" + runtime.GOARCH, CPU: "unknown", Cores: runtime.NumCPU(), Go: runtime.Version(), Commit: "unknown"}
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, after, found := strings.Cut(string(raw), "model name"); found {
			line, _, _ := strings.Cut(after, "\n")
			m.CPU = strings.TrimSpace(strings.TrimLeft(line, "\t :"))
		}
	}
	if raw, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.OS += ", Linux " + strings.TrimSpace(string(raw))
	}
	if raw, err := os.ReadFile("/proc/loadavg"); err == nil {
		first, _, _ := strings.Cut(string(raw), " ")
		m.Load, _ = strconv.ParseFloat(first, 64)
	}
	if out, err := exec.Command("git", "-C", root, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*").Output(); err == nil {
		m.Commit = strings.TrimSpace(string(out))
	}
	return m
}
