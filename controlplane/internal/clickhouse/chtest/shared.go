package chtest

import (
	"fmt"
	"os"
	"testing"
)

// shared is the server of all tests of this process that ask for it, one after another.
var shared struct {
	*Server
	dir string
}

// Shared is the server that all tests of a package use in turn, with Database migrated
// and empty: to start and migrate one takes longer than most tests. A test that leaves
// behind more than rows, or a server that does not answer, needs Start. The package has
// func TestMain(m *testing.M) { os.Exit(chtest.Run(m)) }.
func Shared(t testing.TB) *Server {
	t.Helper()
	if shared.dir == "" {
		t.Fatal("the package's TestMain does not run its tests by chtest.Run")
	}
	if shared.Server == nil {
		s := newServer(t, shared.dir)
		s.Restart(t)
		shared.Server = s
		s.migrate(t)
		return s
	}
	admin := shared.Admin(t)
	for _, table := range []string{"usage_event", "usage_range", "agent_tail", "usage_correction"} {
		if err := admin.Exec(t.Context(), "TRUNCATE TABLE "+table); err != nil {
			t.Fatal(err)
		}
	}
	return shared.Server
}

// Run runs the tests of a package, then ends the server of Shared. It returns the
// process' exit code.
func Run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "weir-chtest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared.dir = dir
	code := m.Run()
	if shared.Server != nil {
		shared.Kill()
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
