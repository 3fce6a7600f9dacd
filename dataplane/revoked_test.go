package dataplane

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What nobody signed takes no traffic down: load balancers are told, callers served.
func TestRevokedAgentServesOnAndIsNotReady(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Weir-Reason", "agent_revoked")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"code":"unauthenticated","message":"agent_revoked: for ever"}`)
	}))
	defer refusing.Close()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"choices":[]}`)
	}))
	defer upstream.Close()
	t.Setenv("WEIR_SECRET_TEST", "secret")
	dir := t.TempDir()
	seed(t, dir, provider(upstream.URL))
	agent := run(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: refusing.URL, StateDir: dir,
		KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage", SpoolMaxBytes: 64 << 20, AllowUpstreams: []string{upstream.URL}})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		status, body := agent.ready(t)
		if status == http.StatusServiceUnavailable && strings.Contains(body, "agent_revoked: for ever") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("readyz: %d %s", status, body)
		}
	}
	if status, body := agent.ask(t, "chat"); status != http.StatusOK {
		t.Errorf("a caller gets %d %s", status, body)
	}
}
