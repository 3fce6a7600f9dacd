package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func TestProviderTestOfGoogle(t *testing.T) {
	h := google(t, toVertex)
	for name, test := range map[string]struct {
		provider, model, method, path string
		listed                        bool
	}{
		"gemini_lists":      {"gemini", flash, "GET", "/v1beta/models", true},
		"gemini_has_not":    {"gemini", "gemini-none", "GET", "/v1beta/models", false},
		"vertex_counts":     {"vertex", "gemini-3-flash", "POST", vertexProject + "/models/gemini-3-flash:countTokens", true},
		"vertex_by_a_route": {"vertex", "", "POST", vertexProject + "/models/" + flash + ":countTokens", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := h.test(test.provider, test.model).GetProviderTest()
			if got.GetOutcome() != ok || got.GetModelListed() != test.listed || (got.ModelListed != nil) != (test.model != "") {
				t.Error(got)
			}
			requests := h.mock.Requests()
			if last := requests[len(requests)-1]; last.Method != test.method || last.Path != test.path {
				t.Errorf("asked %s %s", last.Method, last.Path)
			}
		})
	}
	if served := h.mock.Ledger().Total; served.Requests != 0 {
		t.Errorf("a test cost something: %v", served)
	}
	h = google(t, toFlash)
	if got := h.test("vertex", "").GetRefusal(); got.GetReason() != "model_missing" {
		t.Errorf("no route has a model: %v", got)
	}
}

func TestProviderTestsThatGoogleRefuses(t *testing.T) {
	h := google(t, toVertex, func(c *proxy.Config) { c.Secrets = secrets{"env://WEIR_SECRET_MOCK": "wrong"} })
	for _, provider := range []string{"gemini", "vertex"} {
		if got := h.test(provider, "").GetProviderTest(); got.GetOutcome() != credentialRefused || (got.GetStatus() != 400) == (provider == "gemini") {
			t.Errorf("%s: %v", provider, got)
		}
	}
	for body, reason := range map[string]string{`{"totalTokens":-1}`: "no number of tokens", "404": "does not know the model " + flash, `<html>`: "no number of tokens"} {
		h := google(t, toVertex)
		h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if body == "404" {
				w.WriteHeader(404)
			}
			_, _ = io.WriteString(w, body)
		})
		if got := h.test("vertex", "").GetProviderTest(); got.GetOutcome() != unexpectedAnswer || !strings.Contains(got.GetReason(), reason) {
			t.Errorf("%s: %v", body, got)
		}
	}
}

// TestCredentialsOfAzure: a key, and a token of Entra ID.
func TestCredentialsOfAzure(t *testing.T) {
	for name, test := range map[string]struct{ credential, key, authorization string }{
		"key":    {"0123abc", "0123abc", ""},
		"dotted": {"a.b.c", "a.b.c", ""},
		"token":  {"eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiIxIn0.c2ln-_", "", "Bearer eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiIxIn0.c2ln-_"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *proxy.Config) { c.Secrets = secrets{"env://WEIR_SECRET_MOCK": test.credential} })
			h.extra = []*policyv1.Resource{resource(t, "provider", "azure", &policyv1.Provider{Id: "azure", Name: "azure", BaseUrl: h.upstream.URL,
				Dialect: policyv1.Dialect_DIALECT_AZURE_OPENAI, CredentialRef: "env://WEIR_SECRET_MOCK"}),
				resource(t, "route", "r-azure", &policyv1.Route{Id: "r-azure", Name: "azure", Strategy: priority, Targets: []*policyv1.Target{to("azure", "gpt-4o", 0)}})}
			var seen []*http.Request
			h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen = append(seen, r)
				_, _ = io.WriteString(w, `{"data":[]}`)
			})
			h.holder.Store(h.policy(h.upstream.URL))
			if got := h.test("azure", "").GetProviderTest(); got.GetOutcome() != ok {
				t.Error(got)
			}
			h.post(goodKey, strings.Replace(question, `"chat"`, `"azure"`, 1)+`}`, "Api-Key", "theirs")
			if len(seen) != 2 || seen[0].URL.Path != "/openai/v1/models" || seen[1].URL.Path != "/openai/v1/chat/completions" {
				t.Fatal(seen)
			}
			for _, r := range seen {
				if r.Header.Get("Api-Key") != test.key || r.Header.Get("Authorization") != test.authorization {
					t.Errorf("header %v", r.Header)
				}
			}
		})
	}
}
