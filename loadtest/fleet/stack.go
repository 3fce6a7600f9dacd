package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

const operatorToken = "the-operator-of-a-load-test-on-loopback"

// stack is a control plane on one core and its Postgres, which flushes to disk.
type stack struct {
	dir, url string
	postgres engine.Running
	program  process.Program
	process  *process.Process
	admin    *admin
}

func newStack(ctx context.Context) (*stack, error) {
	dir, err := os.MkdirTemp("", "weir-loadtest-")
	if err != nil {
		return nil, err
	}
	s := &stack{dir: dir}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stack) start(ctx context.Context) error {
	root, err := file.RepositoryRoot()
	if err != nil {
		return err
	}
	cache, err := fetch.CacheDir(root)
	if err != nil {
		return err
	}
	engines, err := fetch.Engines(ctx, cache, os.Stderr)
	if err != nil {
		return err
	}
	ports, err := engine.FreePorts(2)
	if err != nil {
		return err
	}
	s.url = "http://127.0.0.1:" + strconv.Itoa(ports[1])
	running, postgres, err := engine.StartPostgres(ctx, engine.PostgresConfig{Engines: engines, Dir: filepath.Join(s.dir, "postgres"), Port: ports[0], Durable: true})
	if err != nil {
		return err
	}
	s.postgres = running
	binary := filepath.Join(s.dir, "weir-controlplane")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./controlplane/cmd/weir-controlplane")
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the control plane: %w\n%s", err, said)
	}
	s.program = process.Program{Name: "controlplane", Path: binary, Args: []string{"serve"}, Env: s.environment(postgres.URL), Probe: s.answers}
	if err := s.startControlPlane(ctx); err != nil {
		return err
	}
	s.admin, err = newAdmin(ctx, s.url)
	return err
}

func (s *stack) environment(postgres string) []string {
	return []string{
		"GOMAXPROCS=1", "WEIR_ROLES=api,fleet", "WEIR_LISTEN=" + strings.TrimPrefix(s.url, "http://"), "WEIR_URL=" + s.url,
		"WEIR_POSTGRES_URL=" + postgres, "WEIR_POSTGRES_SUPERUSER=true", "WEIR_PRINCIPAL_RATE=0",
		"WEIR_HOUSE_KEY_FILE=" + filepath.Join(s.dir, "house.key"), "WEIR_OPERATOR_TOKEN=" + operatorToken,
		// Asked for nothing here, and not there.
		"WEIR_CLICKHOUSE_REPORT_URL=clickhouse://127.0.0.1:9", "WEIR_OIDC_ISSUER=http://127.0.0.1:9", "WEIR_OIDC_CLIENT_ID=weir", "WEIR_OIDC_CLIENT_SECRET=none",
	}
}

func (s *stack) startControlPlane(ctx context.Context) (err error) {
	s.process, err = process.Start(ctx, s.program, filepath.Join(s.dir, "controlplane.log"))
	if err != nil {
		return err
	}
	ready, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return s.process.Ready(ready)
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

// close stops everything and removes the data; it may be called after any failure.
func (s *stack) close() error {
	if s.process != nil {
		s.process.Stop()
	}
	if s.postgres.Process != nil {
		s.postgres.Stop()
	}
	return os.RemoveAll(s.dir)
}
