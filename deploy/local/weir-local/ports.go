package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// portWait is how long children of a run that was killed a moment ago may take to give their ports back.
const portWait = 5 * time.Second

// freeForUs returns nil once all ports of the stack are free, or says what takes them and how to change them.
func freeForUs(ctx context.Context, s settings) error {
	deadline := time.Now().Add(portWait)
	for {
		taken := takenPorts(s)
		if len(taken) == 0 {
			return nil
		}
		if strangers(taken) || time.Now().After(deadline) {
			return errors.Join(taken...)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

type portTaken struct {
	port
	number  int
	pid     int // 0: not known
	command string
}

func (e portTaken) Error() string {
	holder := "by a process of somebody else"
	if e.pid != 0 {
		holder = fmt.Sprintf("by process %d (%s)", e.pid, e.command)
	}
	return fmt.Sprintf("port %d, meant for %s, is taken %s: stop it, or set WEIR_PORT_%s to another", e.number, e.what, holder, e.variable)
}

func takenPorts(s settings) (taken []error) {
	for _, p := range allPorts {
		if !s.uses(p.variable) {
			continue
		}
		l, err := net.Listen("tcp", s.address(p.variable))
		if err == nil {
			l.Close()
			continue
		}
		n := s.ports[p.variable]
		pid := holder(n)
		taken = append(taken, portTaken{p, n, pid, commandOf(pid)})
	}
	return taken
}

// strangers is true when a known process holds a port that can't be a dying child of ours.
func strangers(taken []error) bool {
	for _, err := range taken {
		t := portTaken{}
		if errors.As(err, &t) && t.pid != 0 && !dyingChild(t.pid) {
			return true
		}
	}
	return false
}

// dyingChild knows a child of an earlier run that the kernel has not finished with: its parent is gone.
func dyingChild(pid int) bool {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	return err != nil || strings.Contains(string(raw), "\nPPid:\t1\n") || strings.Contains(string(raw), "\nState:\tZ")
}

// holder finds the process that listens on a port, or 0: sockets of other users can't be looked up.
func holder(port int) int {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		listeners(table, port, inodes)
	}
	if len(inodes) == 0 {
		return 0
	}
	descriptors, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range descriptors {
		target, err := os.Readlink(fd)
		if err != nil || !inodes[target] {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(fd, "/")[2])
		return pid
	}
	return 0
}

// listeners adds "socket:[inode]" of each socket of the table that listens on port; see proc_pid_net(5).
func listeners(table string, port int, inodes map[string]bool) {
	f, err := os.Open(table)
	if err != nil {
		return
	}
	defer f.Close()
	want := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 9 && strings.HasSuffix(fields[1], want) && fields[3] == "0A" {
			inodes["socket:["+fields[9]+"]"] = true
		}
	}
}

// commandOf is a process's command line, cut to what fits a message.
func commandOf(pid int) string {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil || len(raw) == 0 {
		return "unknown command"
	}
	program, arguments, _ := strings.Cut(string(raw), "\x00")
	command := strings.TrimSpace(filepath.Base(program) + " " + strings.ReplaceAll(arguments, "\x00", " "))
	if len(command) > 80 {
		command = command[:80] + "…"
	}
	return command
}
