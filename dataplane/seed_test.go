package dataplane

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// policyFileOf writes a policy with more keys into a file, and returns what verifies it.
func policyFileOf(t *testing.T, path string, more int, providers ...*policyv1.Provider) (signingKey string) {
	t.Helper()
	public, signer := keys(t)
	var others []*policyv1.Key
	for n := range more {
		sum := sha256.Sum256(fmt.Append(nil, n))
		others = append(others, &policyv1.Key{Id: fmt.Sprint("k", n), ProjectId: "project", Sha256: sum[:]})
	}
	body, err := proto.Marshal(signedPolicy(t, signer, "local", providers, others...))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	if err := os.WriteFile(path, bytes.Join([][]byte{[]byte("weirpol1"), sum[:], body}, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	return "sk=" + base64.StdEncoding.EncodeToString(public)
}

// TestStartFromAPolicyFile: an agent that never met anybody answers within a second of
// its start, and keeps what it has to report.
func TestStartFromAPolicyFile(t *testing.T) {
	mock := llmtest.New(llmtest.Options{APIKey: "secret"})
	upstream := httptest.NewServer(mock)
	defer upstream.Close()
	defer mock.Close()
	t.Setenv("WEIR_SECRET_TEST", "secret")
	file := filepath.Join(t.TempDir(), "policy")
	key := policyFileOf(t, file, 10_000, provider(upstream.URL))
	config := Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: t.TempDir(),
		KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage", SpoolMaxBytes: 64 << 20, AllowUpstreams: []string{upstream.URL},
		PolicyFile: file, PolicyKeys: []string{key}}
	began := time.Now()
	agent := run(t, config)
	status, body := agent.ask(t, "chat")
	took := time.Since(began)
	t.Logf("answered %v after the start, with %d keys", took, 10_001)
	if status != http.StatusOK || took > 2*time.Second { // the race detector takes its part
		t.Errorf("%d after %v: %s", status, took, body)
	}
	if status, body := agent.ready(t); status != http.StatusOK || !strings.Contains(body, "version 7") {
		t.Errorf("readyz: %d %s", status, body)
	}
	if segments, err := filepath.Glob(filepath.Join(config.StateDir, "spool", "*")); err != nil || len(segments) == 0 {
		t.Errorf("the spool has %v, %v", segments, err)
	}
}

func TestBadPolicyKeysAreSaid(t *testing.T) {
	err := (&Config{ControlURL: "http://c", StateDir: "/s", SpoolMaxBytes: 64 << 20, PolicyKeys: []string{"sk=short"}}).validate()
	if err == nil || !strings.Contains(err.Error(), `WEIR_POLICY_KEYS: signing key "sk=short"`) {
		t.Errorf("error %v", err)
	}
}
