package dataplane

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/dataplane/llmtest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
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

// TestStartFromAPolicyFile: an agent that never met anybody answers (the log says how soon)
// and keeps what it has to report.
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
	if status != http.StatusOK {
		t.Errorf("%d: %s", status, body)
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

func TestWaitsThatAreTooLongAreSaid(t *testing.T) {
	config := Config{ControlURL: "http://c", StateDir: "/s", SpoolMaxBytes: 64 << 20, QuotaWait: 3 * time.Second}
	if err := config.validate(); err == nil || !strings.Contains(err.Error(), "WEIR_QUOTA_WAIT: want 0s (50 ms) to 2s") {
		t.Errorf("error %v", err)
	}
}

// elsewhere is a control plane whose tokens are all of another gateway.
type elsewhere struct {
	agentv1connect.UnimplementedAgentServiceHandler
}

func (elsewhere) Enroll(context.Context, *connect.Request[agentv1.EnrollRequest]) (*connect.Response[agentv1.EnrollResponse], error) {
	return connect.NewResponse(&agentv1.EnrollResponse{
		AgentId: "a", OrganizationId: "o", GatewayId: "another", ServerTime: timestamppb.Now(),
		SigningKeys: []*agentv1.SigningKey{{Id: "k", PublicKey: make([]byte, ed25519.PublicKeySize)}},
	}), nil
}

// An agent that serves by the file of one gateway and joins another ends: nobody would
// tell it of revoked keys.
func TestAgentOfAFileThatJoinsAnotherGatewayEnds(t *testing.T) {
	_, handler := agentv1connect.NewAgentServiceHandler(elsewhere{})
	server := httptest.NewServer(handler)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "policy")
	key := policyFileOf(t, file, 1, provider("https://api.openai.com"))
	config := Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: server.URL, StateDir: t.TempDir(), EnrolmentToken: "weiret_other",
		KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage", SpoolMaxBytes: 64 << 20, PolicyFile: file, PolicyKeys: []string{key}}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := Run(ctx, config, slog.New(slog.DiscardHandler))
	if ctx.Err() != nil || err == nil || !strings.Contains(err.Error(), "the enrolment token is of gateway another") {
		t.Errorf("error %v", err)
	}
}
