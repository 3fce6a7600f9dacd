package endtoend_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stack is one `make run`, made of the built binaries, on ports of its own.
type stack struct {
	t        *testing.T
	local    string // the deploy/local binary
	root     string // of the repository
	dir      string
	settings []string // of its environment
	run      *exec.Cmd
	env      map[string]string
}

var portVariables = []string{
	"CONTROL", "AGENT", "ADMIN", "OIDC", "MOCK", "KAFKA", "CLICKHOUSE_HTTP", "CLICKHOUSE_TCP", "POSTGRES",
}

func newStack(t *testing.T) *stack {
	t.Helper()
	local := os.Getenv("WEIR_LOCAL_BIN")
	if local == "" {
		t.Fatal("WEIR_LOCAL_BIN is not set: run the tests with `make test`")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{t: t, local: local, root: root, dir: filepath.Join(t.TempDir(), "local")}
	for _, name := range portVariables {
		s.settings = append(s.settings, "WEIR_PORT_"+name+"="+strconv.Itoa(freePort(t)))
	}
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start runs everything and waits for the env file, which says that all answers.
func (s *stack) start() {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(filepath.Dir(s.dir), "run.log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	envFile := filepath.Join(s.dir, "env")
	if err := os.Remove(envFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err) // one that a killed run left says nothing about this run
	}
	s.run = exec.Command(s.local, "run")
	s.run.Dir, s.run.Env = s.root, s.environ()
	s.run.Stdout, s.run.Stderr = log, log
	s.run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.run.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- s.run.Wait() }()
	s.t.Cleanup(func() { s.stop(exited) })

	s.within(s.t, 4*time.Minute, "the stack is ready", func() error {
		select {
		case err := <-exited:
			exited <- err
			text, _ := os.ReadFile(log.Name())
			s.t.Fatalf("run ended: %v\n%s", err, text)
		default:
		}
		_, err := os.Stat(envFile)
		return err
	})
	s.env = readEnv(s.t, envFile)
}

// stop is Ctrl-C.
func (s *stack) stop(exited chan error) {
	if err := s.run.Process.Signal(syscall.SIGINT); err != nil {
		return // stopped by the test already
	}
	select {
	case <-exited:
	case <-time.After(30 * time.Second):
		s.t.Errorf("run did not stop within 30 s of SIGINT")
		_ = syscall.Kill(-s.run.Process.Pid, syscall.SIGKILL)
	}
}

func (s *stack) environ() []string {
	env := []string{"WEIR_LOCAL_DIR=" + s.dir}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "WEIR_") || strings.HasPrefix(v, "WEIR_CACHE_DIR=") {
			env = append(env, v)
		}
	}
	return append(env, s.settings...)
}

// part runs `local <verb> <part>`.
func (s *stack) part(verb, part string) {
	s.t.Helper()
	cmd := exec.Command(s.local, verb, part)
	cmd.Dir, cmd.Env = s.root, s.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s %s: %v\n%s", verb, part, err, out)
	}
}

// within polls until check is happy.
func (s *stack) within(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s: %v", limit, what, err)
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// call posts JSON to an RPC of the admin API, as the curl line does.
func (s *stack) call(procedure string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	return s.post(s.env["WEIR_URL"]+"/"+procedure, s.env["WEIR_TOKEN"], body, answer)
}

func (s *stack) post(url, token string, body []byte, answer any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", url, response.Status, text)
	}
	return json.Unmarshal(text, answer)
}

func readEnv(t *testing.T, path string) map[string]string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v, want 0600", path, info.Mode().Perm())
	}
	text, err := exec.Command("sh", "-c", ". "+path+" && env -0").Output()
	if err != nil {
		t.Fatalf("source %s: %v", path, err)
	}
	env := map[string]string{}
	for line := range strings.SplitSeq(string(text), "\x00") {
		if name, value, ok := strings.Cut(line, "="); ok {
			env[name] = value
		}
	}
	return env
}
