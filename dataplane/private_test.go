package dataplane

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Profiles, metrics and health are on the private address, and there alone.
func TestPrivateAddress(t *testing.T) {
	t.Setenv("WEIR_SECRET_TEST", "secret")
	dir := t.TempDir()
	seed(t, dir, provider("http://127.0.0.1:1"))
	agent := run(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: dir,
		KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage", SpoolMaxBytes: 64 << 20, AllowUpstreams: []string{"http://127.0.0.1:1"}})
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/readyz": "ok: policy version 7", "/metrics": "weir_agent_requests_in_flight 0",
		"/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "goroutine profile", "/debug/pprof/heap?debug=1": "heap profile",
		"/debug/pprof/allocs?debug=1": "heap profile", "/debug/pprof/profile?seconds=1": "", "/debug/pprof/trace?seconds=1": "",
	} {
		for address, served := range map[string]bool{agent.private: true, agent.applications: false} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			status, body := answer(t, request)
			// A request is in flight for a moment after its caller has the answer.
			for until := time.Now().Add(5 * time.Second); served && !strings.Contains(body, want) && time.Now().Before(until); {
				status, body = answer(t, request)
			}
			if (status == http.StatusOK) != served || served && !strings.Contains(body, want) {
				t.Errorf("%s: %d %.100s", address+path, status, body)
			}
		}
	}
}
