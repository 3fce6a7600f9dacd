package proxy_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	flash         = "gemini-2.5-flash"
	geminiModels  = "/v1beta/models/"
	vertexProject = "/v1/projects/p1/locations/eu/publishers/google"
)

var (
	toFlash  = []*policyv1.Target{to("gemini", flash, 0)}
	toVertex = []*policyv1.Target{to("vertex", flash, 0)}
)

// google is claude with providers of Google's two APIs.
func google(t *testing.T, targets []*policyv1.Target, options ...func(*proxy.Config)) *harness {
	h := claude(t, toSonnet, options...)
	provider := func(id, path string, dialect policyv1.Dialect) *policyv1.Resource {
		return resource(t, "provider", id, &policyv1.Provider{Id: id, Name: id, Dialect: dialect, BaseUrl: h.upstream.URL + path,
			CredentialRef: "env://WEIR_SECRET_MOCK", PriceList: "gemini"})
	}
	h.extra = []*policyv1.Resource{h.extra[0],
		resource(t, "route", "r-routed", &policyv1.Route{Id: "r-routed", Name: "routed", Strategy: priority, Targets: targets}),
		provider("gemini", "/v1beta", policyv1.Dialect_DIALECT_GEMINI), provider("vertex", vertexProject, policyv1.Dialect_DIALECT_VERTEX)}
	h.holder.Store(h.policy(h.upstream.URL))
	return h
}

func TestChatsByGoogle(t *testing.T) {
	chats := func(h *harness, rest string) (*http.Response, string) { return h.post(goodKey, routedQuestion+rest) }
	messages := func(h *harness, rest string) (*http.Response, string) { return h.message(message + rest) }
	apis := map[string]struct {
		targets      []*policyv1.Target
		path, header string
	}{
		"gemini": {toFlash, geminiModels, "X-Goog-Api-Key"}, "vertex": {toVertex, vertexProject + "/models/", "Authorization"},
	}
	for name, test := range map[string]struct {
		ask          func(*harness, string) (*http.Response, string)
		rest, method string
		want         []string
	}{
		"chat":            {chats, `}`, "generateContent", []string{`"object":"chat.completion"`, `"finish_reason":"stop"`}},
		"chat_stream":     {chats, `,"stream":true}`, "streamGenerateContent", []string{`"object":"chat.completion.chunk"`, "data: [DONE]\n\n"}},
		"messages":        {messages, `}`, "generateContent", []string{`"type":"message"`, `"stop_reason":"end_turn"`}},
		"messages_stream": {messages, `,"stream":true}`, "streamGenerateContent", []string{"event: message_start\n", "event: message_stop\n"}},
	} {
		for api, at := range apis {
			t.Run(name+"_by_"+api, func(t *testing.T) {
				h := google(t, at.targets)
				h.mock.Script(llmtest.Fault{ReasoningTokens: 4})
				response, text := test.ask(h, test.rest)
				if response.StatusCode != 200 || response.Header.Get("X-Weir-Lossy") != "" {
					t.Fatalf("%d %v %s", response.StatusCode, response.Header, text)
				}
				for _, want := range test.want {
					if !strings.Contains(text, want) {
						t.Errorf("%q is not in %s", want, text)
					}
				}
				got := h.mock.Requests()[0]
				if streams := strings.HasPrefix(test.method, "stream"); got.Path != at.path+flash+":"+test.method || (got.Query == "alt=sse") != streams || got.Header.Get(at.header) == "" {
					t.Errorf("asked at %s?%s", got.Path, got.Query)
				}
				wantEnding(t, h, toldByFlash(h))
			})
		}
	}
}

// toldByFlash is what a record must say of an answer that the mock served whole.
func toldByFlash(h *harness) ending {
	served := h.mock.Ledger().Models[flash].Tokens
	return ending{answered, 200, "", reported, &usagev1.TokenUsage{Input: served.Input, Output: served.Output, Reasoning: served.Reasoning},
		served.Input*300 + (served.Output+served.Reasoning)*2_500}
}

func TestGooglesFailures(t *testing.T) {
	worst := func(input int64) *usagev1.TokenUsage { return &usagev1.TokenUsage{Input: input, Output: 50} }
	for name, test := range map[string]struct {
		fault  llmtest.Fault
		stream bool
		status int
		want   string
		end    ending // its usage is worst where it is estimated
	}{
		"rate_limited": {llmtest.Fault{Kind: llmtest.Status, Status: 429, RetryAfter: 6500 * time.Millisecond}, false, 429, `"type":"rate_limit_error"`,
			ending{upstreamError, 429, "upstream_error", none, noTokens, 0}},
		"overloaded": {llmtest.Fault{Kind: llmtest.Status, Status: 503}, true, 503, "The model is overloaded.",
			ending{upstreamError, 503, "upstream_error", none, noTokens, 0}},
		"cut": {llmtest.Fault{Kind: llmtest.Cut, After: 5}, true, 200, `"code":"upstream_broke"`,
			ending{broke, 200, "upstream_broke", estimated, nil, 0}},
		"no_reason_to_end": {llmtest.Fault{Kind: llmtest.NoDone}, true, 200, `"code":"upstream_broke"`,
			ending{broke, 200, "upstream_broke", estimated, nil, 0}},
		"error_event": {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 5}, true, 200, "event: error\n",
			ending{upstreamError, 200, "upstream_error", estimated, nil, 0}},
		"malformed": {llmtest.Fault{Kind: llmtest.Malformed, After: 3}, true, 200, `"code":"upstream_malformed"`,
			ending{broke, 200, "upstream_malformed", estimated, nil, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			h := google(t, toFlash)
			h.mock.Script(test.fault)
			rest := `}`
			if test.stream {
				rest = `,"stream":true}`
			}
			response, text := h.message(message + rest)
			if response.StatusCode != test.status || !strings.Contains(text, test.want) || strings.Contains(text, "event: message_stop") {
				t.Errorf("%d %s", response.StatusCode, text)
			}
			if test.fault.RetryAfter > 0 && response.Header.Get("Retry-After") != "7" {
				t.Errorf("header %v", response.Header)
			}
			if test.end.Source == estimated {
				sent := int64(len(h.mock.Requests()[0].Body))
				test.end.Usage, test.end.Cost = worst(sent), sent*300+50*2_500
			}
			_, ended := h.record()
			if diff := cmp.Diff(test.end, endingOf(ended), protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestKeysThatGoogleDoesNotKnow: it says so with 400, which would be the caller's to mend.
func TestKeysThatGoogleDoesNotKnow(t *testing.T) {
	for name, targets := range map[string][]*policyv1.Target{"gemini": toFlash, "vertex": toVertex} {
		t.Run(name, func(t *testing.T) {
			h := google(t, targets, func(c *proxy.Config) { c.Secrets = secrets{"env://WEIR_SECRET_MOCK": "wrong"} })
			response, text := h.post(goodKey, routedQuestion+`}`)
			wantError(t, response, text, 503, "credential_rejected")
			wantEnding(t, h, ending{upstreamError, 503, "credential_rejected", none, noTokens, 0})
		})
	}
}

// TestKeysOfServiceAccounts: what goes to Vertex AI is a token that the agent signed.
func TestKeysOfServiceAccounts(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	file, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "a@p1", "private_key_id": "k1", "private_key": text})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		credential string
		status     int
	}{"key": {string(file), 200}, "broken": {`{"canary-of-the-key"`, 503}} {
		t.Run(name, func(t *testing.T) {
			h := google(t, toVertex, func(c *proxy.Config) { c.Secrets = secrets{"env://WEIR_SECRET_MOCK": test.credential} })
			mock := llmtest.New(llmtest.Options{Bearer: func(token string) bool {
				parts := strings.Split(token, ".")
				if len(parts) != 3 {
					return false
				}
				sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
				signature, err := base64.RawURLEncoding.DecodeString(parts[2])
				return err == nil && rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signature) == nil
			}})
			h.upstream.Config.Handler = mock
			response, body := h.post(goodKey, routedQuestion+`}`)
			if response.StatusCode != test.status || strings.Contains(h.log.String()+body, "canary") {
				t.Errorf("%d %s", response.StatusCode, body)
			}
			if test.status != 200 {
				wantError(t, response, body, 503, "credential_unavailable")
				if !strings.Contains(h.log.String(), "it begins as JSON and is none") {
					t.Error(h.log.String())
				}
				return
			}
			response, body = h.post(goodKey, routedQuestion+`}`)
			first, second := mock.Requests()[0].Header.Get("Authorization"), mock.Requests()[1].Header.Get("Authorization")
			if response.StatusCode != 200 || first != second {
				t.Errorf("%d %s: a token for each request", response.StatusCode, body)
			}
		})
	}
}
