package llmtest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/llmtest"
)

func TestAzure(t *testing.T) {
	const deployment = "/openai/deployments/gpt-4o/chat/completions"
	for name, test := range map[string]struct {
		path, header, value string
		status              int
	}{
		"openai_endpoint":    {"/openai/v1/chat/completions", "Api-Key", "key", 200},
		"deployment":         {deployment + "?api-version=2024-10-21", "Api-Key", "key", 200},
		"entra_token":        {deployment + "?api-version=2024-10-21", "Authorization", "Bearer token", 200},
		"another_key":        {deployment + "?api-version=2024-10-21", "Api-Key", "other", 401},
		"key_as_bearer":      {deployment + "?api-version=2024-10-21", "Authorization", "Bearer key", 401},
		"no_version":         {deployment, "Api-Key", "key", 404},
		"nothing_is_there":   {"/openai/deployments/gpt-4o?api-version=2024-10-21", "Api-Key", "key", 404},
		"path_of_openais":    {"/openai/chat/completions", "Api-Key", "key", 404},
		"azures_key_outside": {"/v1/chat/completions", "Api-Key", "key", 401},
	} {
		t.Run(name, func(t *testing.T) {
			mock := llmtest.New(llmtest.Options{APIKey: "key", Bearer: func(token string) bool { return token == "token" }})
			server := httptest.NewServer(mock)
			defer server.Close()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+test.path,
				strings.NewReader(`{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set(test.header, test.value)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			text, _ := io.ReadAll(response.Body)
			if response.StatusCode != test.status {
				t.Errorf("%d %s", response.StatusCode, text)
			}
			got := mock.Requests()
			if len(got) != 1 || !strings.HasPrefix(test.path, got[0].Path) || got[0].Header.Get(test.header) != test.value {
				t.Errorf("%d requests kept, the first %v", len(got), got)
			}
		})
	}
}
