// Package stack runs the real programs against a Postgres of their own, for tests and
// load tests that kill, stop and restart them. It is no part of `make run`.
package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
)

// readyWithin bounds each program's start.
const readyWithin = time.Minute

// Config of a Stack.
type Config struct {
	// Dir has all files; made when missing.
	Dir string
	// Roles of the control plane, as WEIR_ROLES.
	Roles string
	// Env is added to the control plane's.
	Env []string
}

// Stack is a control plane and its Postgres, which flushes to disk.
type Stack struct {
	Dir string
	// URL of the control plane, DSN of Postgres' superuser.
	URL, DSN string
	// Postgres and ControlPlane are the processes that were started last.
	Postgres     engine.Running
	ControlPlane *process.Process

	root     string
	config   engine.PostgresConfig
	program  process.Program
	binaries map[string]string
}

// Start builds the control plane, and starts both.
func Start(ctx context.Context, c Config) (*Stack, error) {
	root, err := file.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	cache, err := fetch.CacheDir(root)
	if err != nil {
		return nil, err
	}
	engines, err := fetch.Engines(ctx, cache, os.Stderr)
	if err != nil {
		return nil, err
	}
	ports, err := engine.FreePorts(2)
	if err != nil {
		return nil, err
	}
	s := &Stack{Dir: c.Dir, URL: "http://127.0.0.1:" + strconv.Itoa(ports[1]), root: root, binaries: map[string]string{}}
	s.config = engine.PostgresConfig{Engines: engines, Dir: filepath.Join(s.Dir, "postgres"), Port: ports[0], Durable: true}
	if err := s.start(ctx, c); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context, c Config) error {
	if err := s.StartPostgres(ctx); err != nil {
		return err
	}
	binary, err := s.build(ctx, "./controlplane/cmd/weir-controlplane")
	if err != nil {
		return err
	}
	s.program = process.Program{Name: "controlplane", Path: binary, Args: []string{"serve"}, Env: append(s.environment(c.Roles), c.Env...), Probe: process.Answers(s.URL + "/healthz")}
	return s.StartControlPlane(ctx)
}

func (s *Stack) environment(roles string) []string {
	return []string{
		"WEIR_ROLES=" + roles, "WEIR_LISTEN=" + strings.TrimPrefix(s.URL, "http://"), "WEIR_URL=" + s.URL,
		"WEIR_POSTGRES_URL=" + s.DSN, "WEIR_POSTGRES_SUPERUSER=true", "WEIR_PRINCIPAL_RATE=0",
		"WEIR_HOUSE_KEY_FILE=" + filepath.Join(s.Dir, "house.key"), "WEIR_OPERATOR_TOKEN=" + operatorToken,
		// Asked for nothing here, and not there.
		"WEIR_CLICKHOUSE_REPORT_URL=clickhouse://127.0.0.1:9", "WEIR_OIDC_ISSUER=http://127.0.0.1:9", "WEIR_OIDC_CLIENT_ID=weir", "WEIR_OIDC_CLIENT_SECRET=none",
	}
}

// build returns the path of a program of this repository, built once.
func (s *Stack) build(ctx context.Context, pkg string) (string, error) {
	if path, ok := s.binaries[pkg]; ok {
		return path, nil
	}
	path := filepath.Join(s.Dir, filepath.Base(pkg))
	command := exec.CommandContext(ctx, "go", "build", "-o", path, pkg)
	command.Dir = s.root
	if said, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, said)
	}
	s.binaries[pkg] = path
	return path, nil
}

// StartPostgres starts it on the data that is there.
func (s *Stack) StartPostgres(ctx context.Context) error {
	running, postgres, err := engine.StartPostgres(ctx, s.config)
	if err != nil {
		return err
	}
	s.Postgres, s.DSN = running, postgres.URL
	return nil
}

// EmptyPostgres starts one without data, under the same password, in place of the one that was stopped.
func (s *Stack) EmptyPostgres(ctx context.Context) error {
	if err := os.RemoveAll(filepath.Join(s.config.Dir, "data")); err != nil {
		return err
	}
	return s.StartPostgres(ctx)
}

// StartControlPlane returns when it answers.
func (s *Stack) StartControlPlane(ctx context.Context) (err error) {
	s.ControlPlane, err = start(ctx, s.program, s.Log())
	return err
}

// Log is the file with what the control plane wrote.
func (s *Stack) Log() string { return filepath.Join(s.Dir, "controlplane.log") }

// Command runs a command of the control plane's operator.
func (s *Stack) Command(ctx context.Context, arguments ...string) error {
	command := exec.CommandContext(ctx, s.program.Path, arguments...)
	command.Env = s.program.Env
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(arguments, " "), err, said)
	}
	return nil
}

// Close stops what runs; files stay.
func (s *Stack) Close() {
	if s.ControlPlane != nil {
		s.ControlPlane.Stop()
	}
	if s.Postgres.Process != nil {
		s.Postgres.Stop()
	}
}

// start returns when the program answers; one that does not is killed.
func start(ctx context.Context, program process.Program, log string) (*process.Process, error) {
	started, err := process.Start(ctx, program, log)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if err := started.Ready(ctx); err != nil {
		started.Kill()
		return nil, err
	}
	return started, nil
}
