package proxy_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
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

const contents = `{"contents":[{"role":"user","parts":[{"text":"how much water passed"}]}],"generationConfig":{"maxOutputTokens":50}}`

// generate posts to a method of a model as Google's SDKs do.
func (h *harness) generate(call, body string, headers ...string) (*http.Response, string) {
	h.t.Helper()
	response, text, err := h.sendTo(context.Background(), geminiModels+call, "", body, append([]string{"X-Goog-Api-Key", goodKey}, headers...)...)
	if err != nil {
		h.t.Fatal(err)
	}
	return response, text
}

var responseID = regexp.MustCompile(`resp\d+`)

func withoutResponseID(text string) string { return responseID.ReplaceAllString(text, "resp") }

// straight asks the mock without the agent.
func (h *harness) straight(call, body string) string {
	h.t.Helper()
	request, err := http.NewRequest(http.MethodPost, h.upstream.URL+geminiModels+call, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("X-Goog-Api-Key", upstreamKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

func TestGenerateContentPassesUntouched(t *testing.T) {
	body := strings.Replace(contents, `{"contents"`, "{\n \"safety_settings\" : [ ],\"contents\"", 1)
	for name, test := range map[string]struct{ call, query, upstream, query2, kind string }{
		"whole":  {"generateContent", "?quotaUser=u&%24alt=json%3Benum-encoding%3Dint&fields=candidates&%24fields=usageMetadata%2FpromptTokenCount&access_token=t&$userProject=theirs&key=" + goodKey, "generateContent", "alt=json&quotaUser=u", "application/json; charset=UTF-8"},
		"events": {"streamGenerateContent", "?alt=sse", "streamGenerateContent", "alt=sse", "text/event-stream"},
		"array":  {"streamGenerateContent", "", "streamGenerateContent", "alt=sse", "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			h := google(t, toFlash)
			response, text := h.generate("routed:"+test.call+test.query, body, "X-Goog-Api-Client", "go", "X-Goog-User-Project", "theirs", "X-Goog-FieldMask", "candidates", "X-HTTP-Method-Override", "GET")
			if response.StatusCode != 200 || response.Header.Get("X-Weir-Target") != "gemini/"+flash || response.Header.Get("Content-Type") != test.kind {
				t.Fatal(response.Header, text)
			}
			want := toldByFlash(h)
			got := h.mock.Requests()[0]
			if string(got.Body) != body || got.Path != geminiModels+flash+":"+test.upstream || got.Query != test.query2 {
				t.Errorf("upstream got %s?%s\n%s", got.Path, got.Query, got.Body)
			}
			for name, value := range map[string]string{"X-Goog-Api-Key": upstreamKey, "Authorization": "", "X-Goog-Api-Client": "go", "X-Goog-User-Project": "", "X-Goog-FieldMask": "", "X-Http-Method-Override": ""} {
				if got.Header.Get(name) != value {
					t.Errorf("upstream got %s: %q", name, got.Header.Get(name))
				}
			}
			query := test.query
			if name == "whole" {
				query = ""
			}
			if direct := h.straight(flash+":"+test.call+query, body); withoutResponseID(direct) != withoutResponseID(text) {
				t.Errorf("the caller got\n%s, not\n%s", text, direct)
			}
			_, ended := h.record()
			if diff := cmp.Diff(want, endingOf(ended), protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			if ended.Surface != usagev1.Surface_SURFACE_GEMINI_GENERATE || ended.Streamed != (name != "whole") || len(ended.Attempts[0].RawUsageSha256) != 32 || ended.TimeToFirstTokenUs == 0 {
				t.Errorf("recorded %v", ended)
			}
		})
	}
}

func TestModelsInPaths(t *testing.T) {
	h := google(t, toFlash)
	h.extra[1] = resource(t, "route", "r-routed", &policyv1.Route{Id: "r-routed", Name: "team/flash:1", Strategy: priority, Targets: toFlash})
	h.holder.Store(h.policy(h.upstream.URL))
	for path, status := range map[string]int{
		"/v1beta/models/team/flash:1:generateContent":     200,
		"/v1beta/models/team%2Fflash%3A1:generateContent": 200,
		"/v1/models/team/flash:1:generateContent":         200,
		"/v1beta/models/team/flash:generateContent":       404,
		"/v1beta/models/team/flash:1:predict":             404,
		"/v1beta/tunedModels/a:generateContent":           404,
	} {
		response, text, err := h.sendTo(context.Background(), path+"?key="+goodKey, "", contents)
		if err != nil || response.StatusCode != status || (status == 404) != strings.Contains(text, `"status":"NOT_FOUND"`) {
			t.Errorf("%s: %d %s", path, response.StatusCode, text)
		}
	}
	response, err := http.Get(h.agent.URL + "/v1beta/models/team/flash:1:generateContent")
	if err != nil || response.StatusCode != 405 || response.Header.Get("Allow") != "POST" {
		t.Error(response, err)
	}
	response.Body.Close()
}

// wantGoogles checks an error of the agent's own in Google's shape.
func wantGoogles(t *testing.T, response *http.Response, text string, status int, name, code string) {
	t.Helper()
	var body struct {
		Error struct {
			Code            int
			Message, Status string
			Details         []struct{ Domain, Reason string }
		}
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	e := body.Error
	if response.StatusCode != status || e.Code != status || e.Status != name || e.Message == "" || len(e.Details) == 0 ||
		e.Details[0].Domain != "weir" || e.Details[0].Reason != strings.ToUpper(code) {
		t.Errorf("%d %s, want %d %s", response.StatusCode, text, status, code)
	}
}

func TestRefusalsInGooglesShape(t *testing.T) {
	h := google(t, toFlash)
	for name, test := range map[string]struct {
		call, body, key string
		status          int
		said, code      string
	}{
		"key":      {"routed:generateContent", contents, "weir_unknown", 401, "UNAUTHENTICATED", "key_unknown"},
		"route":    {"none:generateContent", contents, goodKey, 404, "NOT_FOUND", "route_unknown"},
		"json":     {"routed:streamGenerateContent", `{"contents":[]`, goodKey, 400, "INVALID_ARGUMENT", "invalid_json"},
		"fields":   {"routed:generateContent", `{"generationConfig":{},"generation_config":{}}`, goodKey, 400, "INVALID_ARGUMENT", "invalid_json"},
		"dialect":  {"chat:embedContent", `{"content":{"parts":[{"text":"a"}]}}`, goodKey, 400, "INVALID_ARGUMENT", "dialect_mismatch"},
		"allowed":  {"routed:generateContent", contents, narrowKey, 403, "PERMISSION_DENIED", "route_not_allowed"},
		"unserved": {"routed:batchGenerateContent", contents, goodKey, 404, "NOT_FOUND", "unsupported_surface"},
	} {
		t.Run(name, func(t *testing.T) {
			response, text := h.generate(test.call, test.body, "X-Goog-Api-Key", test.key)
			wantGoogles(t, response, text, test.status, test.said, test.code)
		})
	}
	if len(h.mock.Requests()) != 0 {
		t.Error("upstream was asked")
	}
}

func TestGenerateContentByOthers(t *testing.T) {
	for provider, by := range map[string]struct {
		targets []*policyv1.Target
		model   string
		price   [2]int64
	}{
		"openai":    {toGPT, "gpt-4o", [2]int64{2_500, 10_000}},
		"anthropic": {toSonnet, sonnet, [2]int64{3_000, 15_000}},
	} {
		for name, test := range map[string]struct{ call, kind, begins, ends string }{
			"whole":  {"generateContent", "application/json", `{"candidates":[{"content":{"parts":[{"text":"`, "}\n"},
			"events": {"streamGenerateContent?alt=sse", "text/event-stream; charset=utf-8", `data: {"candidates":[{`, "}\r\n\r\n"},
			"array":  {"streamGenerateContent", "application/json", `[{"candidates":[{`, "}]"},
		} {
			t.Run(name+"_by_"+provider, func(t *testing.T) {
				h := google(t, by.targets)
				response, text := h.generate("routed:"+test.call, contents)
				if response.StatusCode != 200 || response.Header.Get("Content-Type") != test.kind || response.Header.Get("X-Weir-Lossy") != "" {
					t.Fatalf("%d %v %s", response.StatusCode, response.Header, text)
				}
				if !strings.HasPrefix(text, test.begins) || !strings.HasSuffix(text, test.ends) || strings.Count(text, `"finishReason":"STOP"`) != 1 {
					t.Errorf("the caller got %s", text)
				}
				served := h.mock.Ledger().Models[by.model].Tokens
				_, ended := h.record()
				want := ending{answered, 200, "", reported, &usagev1.TokenUsage{Input: served.Input, Output: served.Output}, served.Input*by.price[0] + served.Output*by.price[1]}
				if diff := cmp.Diff(want, endingOf(ended), protocmp.Transform()); diff != "" || ended.Surface != usagev1.Surface_SURFACE_GEMINI_GENERATE {
					t.Errorf("recorded %v\n%s", ended, diff)
				}
			})
		}
	}
}

func TestEmbedContent(t *testing.T) {
	for name, test := range map[string]struct{ call, body, sent string }{
		"one":   {"embedContent", `{"model" : "models/routed","content":{"parts":[{"text":"two words"}]}}`, `{"model" : "models/` + flash + `","content":{"parts":[{"text":"two words"}]}}`},
		"plain": {"embedContent", `{"content":{"parts":[{"text":"two words"}]}}`, `{"content":{"parts":[{"text":"two words"}]}}`},
		"batch": {"batchEmbedContents", `{"requests":[{"model":"models/routed","content":{"parts":[{"text":"a"}]}},{"model":"models/routed","content":{"parts":[{"text":"b"}]}}]}`,
			`{"requests":[{"model":"models/` + flash + `","content":{"parts":[{"text":"a"}]}},{"model":"models/` + flash + `","content":{"parts":[{"text":"b"}]}}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			h := google(t, toFlash)
			response, text := h.generate("routed:"+test.call, test.body)
			if response.StatusCode != 200 || text != h.straight(flash+":"+test.call, test.sent) {
				t.Fatalf("%d %s", response.StatusCode, text)
			}
			if got := h.mock.Requests()[0]; string(got.Body) != test.sent {
				t.Errorf("upstream got %s", got.Body)
			}
			_, ended := h.record()
			size := int64(len(test.body))
			want := ending{answered, 200, "", estimated, &usagev1.TokenUsage{Input: size}, size * 300} // no answer says more
			if diff := cmp.Diff(want, endingOf(ended), protocmp.Transform()); diff != "" || ended.Surface != usagev1.Surface_SURFACE_GEMINI_EMBED {
				t.Errorf("recorded %v\n%s", ended, diff)
			}
		})
	}
}

// TestBrokenStreamsOfGoogle: by whomever it is served, the caller can read what ends it.
func TestBrokenStreamsOfGoogle(t *testing.T) {
	for provider, targets := range map[string][]*policyv1.Target{"gemini": toFlash, "openai": toGPT} {
		for name, test := range map[string]struct {
			fault llmtest.Fault
			want  string
			end   usagev1.Outcome
		}{
			"cut":         {llmtest.Fault{Kind: llmtest.Cut, After: 4}, "UPSTREAM_BROKE", broke},
			"stalled":     {llmtest.Fault{Kind: llmtest.Stall, After: 4}, "UPSTREAM_TIMEOUT", broke},
			"error_event": {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 4}, `"error"`, upstreamError},
		} {
			t.Run(name+"_by_"+provider, func(t *testing.T) {
				h := google(t, targets, func(c *proxy.Config) { c.IdleTimeout = 100 * time.Millisecond })
				h.mock.Script(test.fault)
				_, text := h.generate("routed:streamGenerateContent", contents)
				var chunks []map[string]any
				if err := json.Unmarshal([]byte(text), &chunks); err != nil || len(chunks) == 0 {
					t.Fatalf("%v: %s", err, text)
				}
				last := chunks[len(chunks)-1]
				if last["error"] == nil || !strings.Contains(text, test.want) {
					t.Errorf("the caller got %s", text)
				}
				if _, ended := h.record(); ended.Outcome != test.end || ended.Attempts[0].UsageSource != estimated {
					t.Errorf("recorded %v", ended)
				}
			})
		}
	}
}

// TestHugeElements are passed on in pieces.
func TestHugeElements(t *testing.T) {
	h := google(t, toFlash, func(c *proxy.Config) { c.MaxEventBytes = 4 << 10 })
	h.mock.Script(llmtest.Fault{Kind: llmtest.Huge, After: 2, Size: 100 << 10})
	response, text := h.generate("routed:streamGenerateContent", contents)
	var chunks []map[string]any
	if err := json.Unmarshal([]byte(text), &chunks); err != nil || response.StatusCode != 200 || len(chunks) < 4 || len(text) < 100<<10 {
		t.Fatalf("%v, %d bytes, %d chunks", err, len(text), len(chunks))
	}
	wantEnding(t, h, toldByFlash(h))
}

func TestFailOverFromGoogle(t *testing.T) {
	for name, test := range map[string]struct {
		fault llmtest.Fault
		call  string
	}{
		"status":    {llmtest.Fault{Kind: llmtest.Status, Status: 503}, "generateContent"},
		"cut":       {llmtest.Fault{Kind: llmtest.Cut}, "streamGenerateContent?alt=sse"},
		"cut_array": {llmtest.Fault{Kind: llmtest.Cut}, "streamGenerateContent"},
		"error":     {llmtest.Fault{Kind: llmtest.ErrorEvent}, "streamGenerateContent"},
	} {
		t.Run(name, func(t *testing.T) {
			h := google(t, []*policyv1.Target{to("gemini", flash, 0), to("claude", sonnet, 0)})
			h.mock.Script(test.fault)
			response, text := h.generate("routed:"+test.call, contents)
			wantHeaders(t, response, "2", "claude/"+sonnet)
			if response.StatusCode != 200 || strings.Contains(text, `"error"`) || !strings.Contains(text, "hills") {
				t.Errorf("the caller got %d %s", response.StatusCode, text)
			}
		})
	}
}
