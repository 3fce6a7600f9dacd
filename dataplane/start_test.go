package dataplane

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/disktest"
	"github.com/weirhq/weir/proto/contract/digest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const goodKey = "weir_good"

// provider is of an upstream that takes a credential from the environment.
func provider(upstream string) *policyv1.Provider {
	return &policyv1.Provider{Id: "p", Name: "chat", Dialect: policyv1.Dialect_DIALECT_OPENAI, BaseUrl: upstream + "/v1", CredentialRef: "env://WEIR_SECRET_TEST"}
}

// seed makes the state folder of an agent that once received a policy with these
// providers, and a route with the name of each.
func seed(t *testing.T, dir string, providers ...*policyv1.Provider) {
	t.Helper()
	seedIn(t, dir, "local", providers...)
}

// seedIn is seed for an agent of a gateway in a region, which its id names.
func seedIn(t *testing.T, dir, region string, providers ...*policyv1.Provider) {
	t.Helper()
	public, signer := keys(t)
	identity, err := json.Marshal(map[string]any{
		"agent_id": "agent-" + region, "organization_id": "o", "gateway_id": "g", "control_plane": "http://127.0.0.1:1",
		"signing_keys": map[string][]byte{"sk": public},
	})
	if err != nil {
		t.Fatal(err)
	}
	file, err := proto.Marshal(signedPolicy(t, signer, region, providers))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(file)
	for path, content := range map[string][]byte{
		"identity/key": signer.Seed(), "identity/identity.json": identity,
		"policy/a": bytes.Join([][]byte{[]byte("weirpol1"), sum[:], file}, nil),
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func keys(t *testing.T) (ed25519.PublicKey, ed25519.PrivateKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return public, private
}

func signedPolicy(t *testing.T, signer ed25519.PrivateKey, region string, providers []*policyv1.Provider, others ...*policyv1.Key) *policyv1.PolicyFile {
	t.Helper()
	var resources []*policyv1.Resource
	var digests []digest.Resource
	add := func(kind, id string, m proto.Message) {
		body, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		resources = append(resources, &policyv1.Resource{Kind: kind, Id: id, Body: body})
		digests = append(digests, digest.Of(kind, id, body))
	}
	good := sha256.Sum256([]byte(goodKey))
	add("gateway", "g", &policyv1.Gateway{Id: "g", Region: region})
	for _, p := range providers {
		add("provider", p.Id, p)
		add("route", "r-"+p.Id, &policyv1.Route{Id: "r-" + p.Id, Name: p.Name, Strategy: policyv1.Strategy_STRATEGY_SINGLE, Targets: []*policyv1.Target{{ProviderId: p.Id, Model: "m"}}})
	}
	for _, k := range append(others, &policyv1.Key{Id: "k", ProjectId: "project", Sha256: good[:]}) {
		add("key", k.Id, k)
	}
	root := digest.Root(digests)
	release, err := proto.Marshal(&policyv1.Release{OrganizationId: "o", GatewayId: "g", Epoch: 1, Version: 7,
		ResourceCount: int32(len(resources)), Root: root[:], MinimumCapability: 1})
	if err != nil {
		t.Fatal(err)
	}
	return &policyv1.PolicyFile{Resources: resources, Release: &policyv1.SignedRelease{
		Release: release, SigningKeyId: "sk", Signature: ed25519.Sign(signer, digest.ReleaseMessage(release)),
	}}
}

// running is an agent, where it listens, and what it logs.
type running struct {
	applications, private string
	log                   *written
}

// written is a log that the agent may still write to.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// run starts an agent and stops it when the test ends.
func run(t *testing.T, c Config) running {
	t.Helper()
	agent, stop := runUntil(t, c)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return agent
}

// runUntil starts an agent; stop returns how it ended.
func runUntil(t *testing.T, c Config) (agent running, stop func() error) {
	t.Helper()
	read, write := io.Pipe()
	ctx, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := Run(ctx, c, slog.New(slog.NewJSONHandler(write, nil)))
		write.CloseWithError(io.EOF)
		done <- err
	}()
	copied := make(chan struct{})
	stop = func() error {
		end()
		err := <-done
		<-copied
		return err
	}
	log := &written{}
	lines := bufio.NewScanner(io.TeeReader(read, log))
	for lines.Scan() {
		var line struct{ Msg, Applications, Private string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.Msg == "listening" {
			go func() {
				defer close(copied)
				_, _ = io.Copy(log, read)
			}()
			return running{"http://" + line.Applications, "http://" + line.Private, log}, stop
		}
	}
	t.Fatal("the agent does not listen")
	return running{}, nil
}

func (r running) ask(t *testing.T, route string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, r.applications+"/v1/chat/completions",
		strings.NewReader(`{"model":"`+route+`","messages":[{"role":"user","content":"how much water passed"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+goodKey)
	return answer(t, request)
}

func (r running) ready(t *testing.T) (status int, body string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, r.private+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer(t, request)
}

func answer(t *testing.T, request *http.Request) (status int, body string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestStartOnADiskThatSaysNo(t *testing.T) {
	disktest.Run(t, 40<<20, func(t *testing.T, disk *disktest.Disk) {
		served := 0
		upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			served++
			_, _ = io.WriteString(w, `{"choices":[]}`)
		}))
		defer upstream.Close()
		t.Setenv("WEIR_SECRET_TEST", "secret")
		seed(t, disk.Path, provider(upstream.URL))
		config := Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: disk.Path,
			KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage", SpoolMaxBytes: 64 << 20, AllowUpstreams: []string{upstream.URL}}
		for _, trouble := range []struct {
			name, code, reason string
			begin, end         func()
		}{
			{"full", "spool_full", "no space left on device", disk.Fill, disk.Free},
			{"read_only", "spool_unavailable", "read-only file system", func() { disk.ReadOnly(true) }, func() { disk.ReadOnly(false) }},
		} {
			t.Run(trouble.name, func(t *testing.T) {
				before := served
				trouble.begin()
				agent := run(t, config)
				if status, body := agent.ask(t, "chat"); status != http.StatusServiceUnavailable || !strings.Contains(body, trouble.code) {
					t.Errorf("%d %s", status, body)
				}
				if status, body := agent.ready(t); status != http.StatusServiceUnavailable || !strings.Contains(body, trouble.reason) {
					t.Errorf("readyz: %d %s", status, body)
				}
				if served != before {
					t.Error("a request went upstream without a record")
				}
				trouble.end()
				for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
					if status, _ := agent.ready(t); status == http.StatusOK {
						break
					}
					if time.Now().After(deadline) {
						t.Fatal("it does not recover")
					}
				}
				if status, body := agent.ask(t, "chat"); status != http.StatusOK || served != before+1 {
					t.Errorf("after it recovered: %d %s", status, body)
				}
			})
		}
	})
}

func TestStartOnABrokenDiskWithoutAPolicy(t *testing.T) {
	disktest.Run(t, 1<<20, func(t *testing.T, disk *disktest.Disk) {
		disk.ReadOnly(true)
		err := Run(t.Context(), Config{ControlURL: "http://127.0.0.1:1", StateDir: disk.Path, KafkaBrokers: []string{"127.0.0.1:1"},
			KafkaTopic: "usage", SpoolMaxBytes: 64 << 20}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), "read-only file system") {
			t.Errorf("error %v", err)
		}
	})
}
