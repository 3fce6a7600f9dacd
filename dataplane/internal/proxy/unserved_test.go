package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestUnservedPathsSayWhy what was asked for is not there, and what is.
func TestUnservedPathsSayWhy(t *testing.T) {
	const bound = "belong to one account of one provider"
	h := newHarness(t)
	for _, test := range []struct{ method, path, what, why string }{
		{"POST", "/v1/files", "files", bound},
		{"GET", "/v1/files/file-1/content", "files", bound},
		{"POST", "/v1/batches", "batches", bound},
		{"POST", "/v1/uploads", "uploads", bound},
		{"GET", "/v1/vector_stores/vs_1", "vector stores", bound},
		{"POST", "/v1/assistants", "assistants", bound},
		{"POST", "/v1/threads/runs", "threads", bound},
		{"POST", "/v1/fine_tuning/jobs", "fine-tuning", bound},
		{"POST", "/v1/conversations", "conversations", bound},
		{"GET", "/v1/responses/resp_1", "stored responses", bound},
		{"DELETE", "/v1/responses/resp_1", "stored responses", bound},
		{"POST", "/v1/responses/resp_1/cancel", "stored responses", bound},
		{"GET", "/v1/chat/completions/chatcmpl-1", "stored chat completions", bound},
		{"POST", "/v1/messages/batches", "batches of messages", bound},
		{"POST", "/v1/realtime/client_secrets", "realtime sessions", "a session is no request"},
		{"GET", "/v1/organization/costs", "the administration of an organization", "belongs to the gateway"},
		{"POST", "/v1/filesystems", "this path", ""},
		{"GET", "/", "this path", ""},
	} {
		t.Run(test.method+strings.ReplaceAll(test.path, "/", "_"), func(t *testing.T) {
			request, err := http.NewRequest(test.method, h.agent.URL+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+goodKey)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			text, _ := io.ReadAll(response.Body)
			for _, want := range []string{"does not serve " + test.what, test.why, "POST /v1/chat/completions, ", " and GET /v1/models/{id}.", "unsupported_surface"} {
				if response.StatusCode != 404 || !strings.Contains(string(text), want) {
					t.Errorf("%d %s, want %q", response.StatusCode, text, want)
				}
			}
		})
	}
}
