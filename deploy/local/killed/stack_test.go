package killed_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/weirhq/weir/deploy/local/stack"
)

// target is one control plane with a Postgres of its own, to be killed.
type target struct {
	t *testing.T
	*stack.Stack
}

func newTarget(t *testing.T) *target {
	t.Helper()
	started, err := stack.Start(t.Context(), stack.Config{Dir: t.TempDir(), Roles: "api"})
	must(t, err)
	s := &target{t: t, Stack: started}
	t.Cleanup(func() { s.Close(); s.tellErrors() })
	return s
}

// tellErrors shows what the control plane logged as its own mistakes.
func (s *target) tellErrors() {
	log, err := os.ReadFile(s.Log())
	if err != nil || !s.t.Failed() {
		return
	}
	for line := range strings.Lines(string(log)) {
		away := strings.Contains(line, "SQLSTATE 57P") || strings.Contains(line, "connection refused")
		if !away && strings.Contains(line, "internal error") || strings.HasPrefix(line, "panic") {
			s.t.Log(line)
		}
	}
}

func (s *target) killControlPlane() {
	s.ControlPlane.Kill()
	must(s.t, s.StartControlPlane(context.Background()))
}

// killPostgres kills the server, or one of its sessions, for which it throws all others
// out and recovers.
func (s *target) killPostgres() {
	if sessions := s.sessions(); len(sessions) > 0 && rand.IntN(2) == 0 {
		_ = syscall.Kill(sessions[rand.IntN(len(sessions))], syscall.SIGKILL) // it may have ended
		return
	}
	s.Postgres.Kill()
	must(s.t, s.StartPostgres(context.Background()))
}

// sessions are the server's children that serve the control plane.
func (s *target) sessions() (pids []int) {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.Postgres.PID(), s.Postgres.PID()))
	must(s.t, err)
	for text := range strings.FieldsSeq(string(children)) {
		title, _ := os.ReadFile(filepath.Join("/proc", text, "cmdline"))
		if pid, err := strconv.Atoi(text); err == nil && strings.Contains(string(title), "127.0.0.1") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// run is a command of the operator; it must find nothing wrong.
func (s *target) run(arguments ...string) {
	s.t.Helper()
	if err := s.Command(s.t.Context(), arguments...); err != nil {
		s.t.Error(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
