package proxy_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestRefusals(t *testing.T) {
	ask := func(route string) string { return strings.Replace(question, `"chat"`, `"`+route+`"`, 1) + `}` }
	for name, test := range map[string]struct {
		key, body string
		status    int
		code      string
		recorded  bool
	}{
		"no_key":                 {"", ask("chat"), 401, "key_missing", false},
		"unknown_key":            {"weir_nobody", ask("chat"), 401, "key_unknown", false},
		"revoked_key":            {revokedKey, ask("chat"), 401, "key_revoked", true},
		"key_in_revocations":     {lateRevoked, ask("chat"), 401, "key_revoked", true},
		"key_gone_from_policy":   {goneKey, ask("chat"), 401, "key_revoked", true},
		"expired_key":            {expiredKey, ask("chat"), 401, "key_expired", true},
		"replaced_secret":        {replacedKey, ask("chat"), 401, "key_rotated", true},
		"route_of_others":        {narrowKey, ask("chat"), 403, "route_not_allowed", true},
		"route_of_other_regions": {goodKey, ask("abroad"), 403, "route_not_served", true},
		"unknown_route":          {goodKey, ask("nothing"), 404, "route_unknown", true},
		"no_json":                {goodKey, `{"model":"chat"`, 400, "invalid_json", true},
		"no_object":              {goodKey, `["chat"]`, 400, "invalid_json", true},
		"model_twice":            {goodKey, `{"model":"chat","mod\u0065l":"odd"}`, 400, "invalid_json", true},
		"model_in_capitals":      {goodKey, `{"model":"chat","Model":"odd"}`, 400, "invalid_json", true},
		"no_model":               {goodKey, `{"messages":[]}`, 400, "model_missing", true},
		"model_of_wrong_type":    {goodKey, `{"model":7}`, 400, "model_missing", true},
		"too_large":              {goodKey, strings.Repeat(" ", 64<<10) + ask("chat"), 413, "body_too_large", true},
		"origin_not_allowed":     {goodKey, ask("elsewhere"), 503, "provider_not_allowed", true},
		"credential_unavailable": {goodKey, ask("bare"), 503, "credential_unavailable", true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			response, text := h.post(test.key, test.body)
			wantError(t, response, text, test.status, test.code)
			if len(h.mock.Requests()) != 0 || len(h.recorder.started) != 0 {
				t.Errorf("%d requests upstream, %d starts", len(h.mock.Requests()), len(h.recorder.started))
			}
			<-h.done
			if !test.recorded {
				if len(h.recorder.refused) != 0 {
					t.Errorf("recorded %v", h.recorder.refused)
				}
				return
			}
			if len(h.recorder.refused) != 1 {
				t.Fatalf("%d records", len(h.recorder.refused))
			}
			r := h.recorder.refused[0]
			if r.Outcome != usagev1.Outcome_OUTCOME_REFUSED || r.Status != int32(test.status) || r.ErrorCode != test.code ||
				r.KeyId == "" || r.ProjectId == "" && test.key != goneKey || len(r.Attempts) != 0 || r.StartedAtUs == 0 || r.PolicyVersion != 7 {
				t.Errorf("recorded %v", r)
			}
		})
	}
}

func wantError(t *testing.T, response *http.Response, text string, status int, code string) {
	t.Helper()
	var body struct {
		Error struct {
			Message, Type, Code string
			Param               *string
		}
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if response.StatusCode != status || body.Error.Code != code || body.Error.Message == "" || body.Error.Type == "" || !strings.Contains(text, `"param":`) {
		t.Errorf("%d %s, want %d %s", response.StatusCode, text, status, code)
	}
}

func TestTooLargeWithoutALength(t *testing.T) {
	h := newHarness(t)
	request, err := http.NewRequest(http.MethodPost, h.agent.URL+"/v1/chat/completions", io.MultiReader(strings.NewReader(strings.Repeat(" ", 65<<10)), strings.NewReader("{}")))
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
	wantError(t, response, string(text), 413, "body_too_large")
}

func TestUnknownKeyIsToldThePolicysAge(t *testing.T) {
	h := newHarness(t)
	response, text := h.post("weir_nobody", question+`}`)
	if age := response.Header.Get("X-Weir-Policy-Age"); age != "90" || !strings.Contains(text, "confirmed 1m30s ago") {
		t.Errorf("age %q, %s", age, text)
	}
	counts(t, h, "weir_agent_unauthenticated_total", 1)
}

// TestASecretThatWasReplaced: until its time is over it is the same key.
func TestASecretThatWasReplaced(t *testing.T) {
	h := newHarness(t)
	if response, text := h.post(oldKey, question+`}`); response.StatusCode != 200 {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	if _, ended := h.record(); ended.KeyId != "k-good" || ended.ProjectId != "project-1" {
		t.Errorf("recorded %v", ended)
	}
}

func TestNoPolicy(t *testing.T) {
	h := newHarness(t)
	h.holder.Store(nil)
	response, text := h.post(goodKey, question+`}`)
	wantError(t, response, text, 503, "no_policy")
}

// A caller is told that a policy was refused, those who may know it also why.
func TestARefusedPolicy(t *testing.T) {
	h := newHarness(t, func(c *proxy.Config) { c.Unserved = func() error { return errors.New("provider p: no such dialect") } })
	h.holder.Store(nil)
	response, text := h.post(goodKey, question+`}`)
	wantError(t, response, text, 503, "policy_refused")
	if strings.Contains(text, "provider p") {
		t.Errorf("a caller gets %s", text)
	}
	dry, test := h.dryRun(ofKey("k-good", "chat")).GetRefusal(), h.test("mock", "").GetRefusal()
	for code, message := range map[string]string{"dry run: " + dry.GetCode(): dry.GetMessage(), "test: " + test.GetReason(): test.GetMessage()} {
		if !strings.HasSuffix(code, ": policy_refused") || !strings.Contains(message, "provider p: no such dialect") {
			t.Errorf("%s: %s", code, message)
		}
	}
}

func TestRecorderRefuses(t *testing.T) {
	for code, err := range map[string]error{"spool_full": errors.Join(errFull), "spool_unavailable": errors.New("disk gone")} {
		t.Run(code, func(t *testing.T) {
			h := newHarness(t)
			h.recorder.err = err
			response, text := h.post(goodKey, question+`}`)
			wantError(t, response, text, 503, code)
			if len(h.mock.Requests()) != 0 {
				t.Error("it went upstream without a record")
			}
			h.post(goodKey, question+`}`)
			if n := strings.Count(h.log.String(), "usage is not recorded"); n > 1 {
				t.Errorf("said %d times", n)
			}
			response, text = h.post(goodKey, `{}`)
			wantError(t, response, text, 400, "model_missing")
		})
	}
}

func TestPathsAndMethods(t *testing.T) {
	h := newHarness(t)
	for _, test := range []struct {
		method, path string
		status       int
		code, allow  string
	}{
		{"GET", "/v1/chat/completions", 405, "method_not_allowed", "POST"},
		{"POST", "/v1/models", 405, "method_not_allowed", "GET"},
		{"GET", "/v1/embeddings", 405, "method_not_allowed", "POST"},
		{"GET", "/v1/realtime", 404, "unsupported_surface", ""},
		{"POST", "/v1/chat/completions/", 404, "unsupported_surface", ""},
		{"GET", "/", 404, "unsupported_surface", ""},
		{"GET", "/v1/models/nothing", 404, "route_unknown", ""},
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
			wantError(t, response, string(text), test.status, test.code)
			if response.Header.Get("Allow") != test.allow {
				t.Errorf("allow %q", response.Header.Get("Allow"))
			}
			h.recorder.mu.Lock()
			defer h.recorder.mu.Unlock()
			if last := h.recorder.refused[len(h.recorder.refused)-1]; last.ErrorCode != test.code || last.KeyId != "k-good" || last.Surface != 0 {
				t.Errorf("recorded %v", last)
			}
		})
	}
}

func TestHammeringFillsNoSpool(t *testing.T) {
	var seconds atomic.Int64
	h := newHarness(t, func(c *proxy.Config) { c.Now = func() time.Time { return time.Unix(seconds.Load(), 0) } })
	seconds.Store(time.Now().Unix())
	recorded := func() int {
		h.recorder.mu.Lock()
		defer h.recorder.mu.Unlock()
		return len(h.recorder.refused)
	}
	for range 25 {
		h.post(revokedKey, question+`}`)
		h.post(goodKey, `{}`) // its body was read: such are all recorded
	}
	if n := recorded(); n != 10+25 {
		t.Errorf("%d records in one second", n)
	}
	h.post(lateRevoked, question+`}`)
	seconds.Add(1)
	h.post(revokedKey, question+`}`)
	if n := recorded(); n != 10+25+2 {
		t.Errorf("%d records with another key and in the next second", n)
	}
	counts(t, h, "weir_agent_refusals_unrecorded_total", 15)
}

func TestAnonymousOffTheSurfacesLeavesNoRecord(t *testing.T) {
	h := newHarness(t)
	response, err := http.Get(h.agent.URL + "/favicon.ico")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound || len(h.recorder.refused) != 0 {
		t.Errorf("status %d, recorded %v", response.StatusCode, h.recorder.refused)
	}
}

func TestSDKSeesErrorsAndModels(t *testing.T) {
	h := newHarness(t)
	client := h.client(revokedKey)
	_, err := client.Chat.Completions.New(context.Background(), params("chat"))
	var refused *openai.Error
	if !errors.As(err, &refused) || refused.StatusCode != 401 || refused.Code != "key_revoked" {
		t.Errorf("error %v", err)
	}
	client = h.client(narrowKey)
	page, err := client.Models.List(context.Background())
	if err != nil || len(page.Data) != 1 || page.Data[0].ID != "odd" {
		t.Errorf("models %v, %v", page, err)
	}
	model, err := client.Models.Get(context.Background(), "odd")
	if err != nil || model.ID != "odd" {
		t.Errorf("model %v, %v", model, err)
	}
}

func TestKeyIsTakenFromWhereSDKsPutIt(t *testing.T) {
	h := newHarness(t)
	for _, name := range []string{"X-Api-Key", "X-Goog-Api-Key", "Api-Key"} {
		if response, text := h.post("", question+`}`, name, goodKey); response.StatusCode != 200 {
			t.Errorf("%s: %s", name, text)
		}
	}
	response, err := http.Post(h.agent.URL+"/v1/chat/completions?a=1&key="+goodKey+"&b=%20", "application/json", strings.NewReader(question+`}`))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	requests := h.mock.Requests()
	if last := requests[len(requests)-1]; response.StatusCode != 200 || last.Query != "a=1&b=%20" {
		t.Errorf("status %d, upstream's query %q", response.StatusCode, last.Query)
	}
	for _, r := range requests {
		for name, values := range r.Header {
			if strings.Contains(strings.Join(values, ""), goodKey) {
				t.Errorf("the caller's key went upstream in %s", name)
			}
		}
	}
}

func TestPolicyIsReplacedWhileServing(t *testing.T) {
	h := newHarness(t)
	policy, err := h.holder.Load().WithRevocations(nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, _ := h.post(lateRevoked, question+`}`); response.StatusCode != 401 {
		t.Errorf("status %d", response.StatusCode)
	}
	h.holder.Store(policy)
	if response, _ := h.post(lateRevoked, question+`}`); response.StatusCode != 200 {
		t.Errorf("status %d", response.StatusCode)
	}
}
