package killed_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
)

const operatorToken = "the-operator-of-a-control-plane-to-be-killed"

// stack is one control plane with a Postgres of its own.
type stack struct {
	t        *testing.T
	dir      string
	url      string
	postgres engine.Running
	config   engine.PostgresConfig
	dsn      string
	program  process.Program
	process  *process.Process
}

func newStack(t *testing.T) *stack {
	t.Helper()
	root, err := file.RepositoryRoot()
	must(t, err)
	cache, err := fetch.CacheDir(root)
	must(t, err)
	engines, err := fetch.Engines(t.Context(), cache, os.Stderr)
	must(t, err)
	ports, err := engine.FreePorts(2)
	must(t, err)
	s := &stack{t: t, dir: t.TempDir(), url: "http://127.0.0.1:" + strconv.Itoa(ports[1])}
	s.config = engine.PostgresConfig{Engines: engines, Dir: filepath.Join(s.dir, "postgres"), Port: ports[0], Durable: true}
	s.startPostgres()
	t.Cleanup(func() { s.postgres.Kill() })
	binary := filepath.Join(s.dir, "weir-controlplane")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./controlplane/cmd/weir-controlplane")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	s.program = process.Program{Name: "controlplane", Path: binary, Args: []string{"serve"}, Env: s.environment(), Probe: s.answers}
	s.startControlPlane()
	t.Cleanup(func() { s.process.Kill(); s.tellErrors() })
	return s
}

// tellErrors shows what the control plane logged as its own mistakes.
func (s *stack) tellErrors() {
	log, err := os.ReadFile(filepath.Join(s.dir, "controlplane.log"))
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

func (s *stack) environment() []string {
	return []string{
		"WEIR_ROLES=api", "WEIR_LISTEN=" + strings.TrimPrefix(s.url, "http://"), "WEIR_URL=" + s.url, "WEIR_POSTGRES_URL=" + s.dsn, "WEIR_POSTGRES_SUPERUSER=true",
		"WEIR_HOUSE_KEY_FILE=" + filepath.Join(s.dir, "house.key"), "WEIR_OPERATOR_TOKEN=" + operatorToken, "WEIR_PRINCIPAL_RATE=0",
		// Asked for nothing here, and not there.
		"WEIR_CLICKHOUSE_REPORT_URL=clickhouse://127.0.0.1:9", "WEIR_OIDC_ISSUER=http://127.0.0.1:9", "WEIR_OIDC_CLIENT_ID=weir", "WEIR_OIDC_CLIENT_SECRET=none",
	}
}

func (s *stack) startPostgres() {
	s.t.Helper()
	running, pg, err := engine.StartPostgres(context.Background(), s.config)
	must(s.t, err)
	s.postgres, s.dsn = running, pg.URL
}

func (s *stack) startControlPlane() {
	s.t.Helper()
	var err error
	s.process, err = process.Start(context.Background(), s.program, filepath.Join(s.dir, "controlplane.log"))
	must(s.t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	must(s.t, s.process.Ready(ctx))
}

func (s *stack) answers(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/healthz", http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

func (s *stack) killControlPlane() {
	s.process.Kill()
	s.startControlPlane()
}

// killPostgres kills the server, or one of its sessions, for which it throws all others
// out and recovers.
func (s *stack) killPostgres() {
	if sessions := s.sessions(); len(sessions) > 0 && rand.IntN(2) == 0 {
		_ = syscall.Kill(sessions[rand.IntN(len(sessions))], syscall.SIGKILL) // it may have ended
		return
	}
	s.postgres.Kill()
	s.startPostgres()
}

// sessions are the server's children that serve the control plane.
func (s *stack) sessions() (pids []int) {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.postgres.PID(), s.postgres.PID()))
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
func (s *stack) run(arguments ...string) {
	s.t.Helper()
	command := exec.CommandContext(s.t.Context(), s.program.Path, arguments...)
	command.Env = s.program.Env
	if out, err := command.CombinedOutput(); err != nil {
		s.t.Errorf("%s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
