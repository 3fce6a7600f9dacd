package control_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/control"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// realControlPlane runs controlplane/internal/fleet in a process of its own: the
// planes may not import each other, their tests neither.
type realControlPlane struct {
	url       string
	transport *http.Transport
	stdin     io.WriteCloser
	lines     *bufio.Scanner
}

var buildServer = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "weir-fleetserver-*")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "fleetserver")
	out, err := exec.Command("go", "build", "-o", path, "github.com/weirhq/weir/controlplane/internal/fleet/fleettest/fleetserver").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build fleetserver: %w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if dir := os.Getenv(control.SlotsDir); dir != "" {
		fmt.Fprintln(os.Stderr, control.SlotsVictim(dir))
		os.Exit(1)
	}
	code := m.Run()
	if path, err := buildServer(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func startControlPlane(t *testing.T, flags ...string) *realControlPlane {
	t.Helper()
	path, err := buildServer()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, flags...)
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); _ = command.Wait() })
	r := &realControlPlane{stdin: stdin, lines: bufio.NewScanner(stdout), transport: http.DefaultTransport.(*http.Transport).Clone()}
	if !r.lines.Scan() {
		t.Fatal("the control plane said nothing")
	}
	var hello struct{ URL, Certificate string }
	if err := json.Unmarshal(r.lines.Bytes(), &hello); err != nil {
		t.Fatal(err)
	}
	r.url = hello.URL
	if hello.Certificate != "" {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(hello.Certificate))
		r.transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	return r
}

func (r *realControlPlane) tell(t *testing.T, command string) []byte {
	t.Helper()
	if _, err := fmt.Fprintln(r.stdin, command); err != nil {
		t.Fatal(err)
	}
	if !r.lines.Scan() {
		t.Fatalf("no answer to %q", command)
	}
	return r.lines.Bytes()
}

// dryRun has some agent asked.
func (r *realControlPlane) dryRun(t *testing.T, model string) (came struct{ Code, Reason string }) {
	t.Helper()
	if err := json.Unmarshal(r.tell(t, "dry-run "+model), &came); err != nil {
		t.Error(err)
	}
	return came
}

// keys are a served policy's keys, by hash.
type keys struct {
	mu      sync.Mutex
	known   map[string]bool
	revoked map[string]bool
}

func (k *keys) is(text string) (known, revoked bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	sum := sha256.Sum256([]byte(text))
	return k.known[string(sum[:])], k.revoked[string(sum[:])]
}

func (k *keys) revoke(set *policyv1.Revocations) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range set.GetRevocations() {
		k.revoked[string(r.GetKeySha256())] = true
	}
}

func (k *keys) config(r *realControlPlane, dir string) control.Config {
	config := (&plane{}).config(r.url, dir)
	config.Transport = r.transport
	config.Compile = func(_ *policyv1.Release, resources []*policyv1.Resource, set *policyv1.Revocations) (func(), error) {
		return func() {
			k.mu.Lock()
			k.known, k.revoked = make(map[string]bool), make(map[string]bool)
			for _, r := range resources {
				if key, err := decodeKey(r); err == nil && r.GetKind() == "key" {
					k.known[string(key.GetSha256())] = true
				}
			}
			k.mu.Unlock()
			k.revoke(set)
		}, nil
	}
	config.ApplyRevocations = func(set *policyv1.Revocations) error { k.revoke(set); return nil }
	return config
}

func TestWithTheRealControlPlane(t *testing.T) {
	for name, flags := range map[string][]string{"http_1": nil, "http_2": {"-tls"}} {
		t.Run(name, func(t *testing.T) {
			r, k := startControlPlane(t, flags...), &keys{}
			client, stop := run(t, k.config(r, t.TempDir()))
			eventually(t, "the first policy is served", func() bool { known, _ := k.is("first"); return known })
			eventually(t, "the policy is confirmed", func() bool { return !client.Freshness().IsZero() })

			var added, refused []time.Duration
			for n := range 20 {
				text := fmt.Sprint("key ", n)
				began := time.Now()
				r.tell(t, "add-key "+text)
				eventually(t, "the new key is known", func() bool { known, _ := k.is(text); return known })
				added = append(added, time.Since(began))
				began = time.Now()
				r.tell(t, "revoke "+text)
				eventually(t, "the key is revoked", func() bool { _, revoked := k.is(text); return revoked })
				refused = append(refused, time.Since(began))
			}
			slices.Sort(added)
			slices.Sort(refused)
			t.Logf("key added → known: median %v, worst %v; revoked → refused: median %v, worst %v", added[10], added[19], refused[10], refused[19])
			if refused[10] > time.Second {
				t.Error("a revocation takes more than a second")
			}
			stop()
		})
	}
}

func TestAsksOfTheRealControlPlane(t *testing.T) {
	for name, flags := range map[string][]string{"http_1": nil, "http_2": {"-tls"}} {
		t.Run(name, func(t *testing.T) {
			r, k := startControlPlane(t, flags...), &keys{}
			config := k.config(r, t.TempDir())
			begun, killed := make(chan struct{}), make(chan struct{})
			config.Answer = func(ctx context.Context, ask *agentv1.Ask) *agentv1.AnswerRequest {
				model := ask.GetDryRun().GetModel()
				if model == "hang" {
					close(begun)
					<-ctx.Done()
				}
				return &agentv1.AnswerRequest{Result: &agentv1.AnswerRequest_DryRun{DryRun: &agentv1.DryRunResult{
					Refusal: &agentv1.DryRunRefusal{Code: "said " + model},
				}}}
			}
			client, stop := run(t, config)
			eventually(t, "the policy is confirmed", func() bool { return !client.Freshness().IsZero() })
			if came := r.dryRun(t, "chat"); came.Code != "said chat" {
				t.Errorf("%+v", came)
			}
			go func() {
				defer close(killed)
				<-begun
				stop()
			}()
			if came := r.dryRun(t, "hang"); came.Reason != "agent_silent" {
				t.Errorf("its agent died in the middle: %+v", came)
			}
			<-killed
			if came := r.dryRun(t, "chat"); came.Reason != "no_agent_can_answer" {
				t.Errorf("without an agent: %+v", came)
			}
		})
	}
}
