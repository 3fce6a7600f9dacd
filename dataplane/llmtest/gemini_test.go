package llmtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/llmtest"
)

func postGemini(t *testing.T, server *httptest.Server, call, body string, header http.Header) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1beta/models/"+call, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Goog-Api-Key", apiKey)
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// said is an answer, or the chunks of one put together.
type said struct {
	Candidates []struct {
		Content struct {
			Role  string
			Parts []struct {
				Text, ThoughtSignature string
				Thought                bool
				FunctionCall           *struct {
					ID, Name string
					Args     json.RawMessage
				}
			}
		}
		FinishReason string
		Index        int
	}
	UsageMetadata struct {
		PromptTokenCount, CandidatesTokenCount, CachedContentTokenCount, ThoughtsTokenCount, TotalTokenCount int64
	}
	ModelVersion, ResponseID string
	Error                    struct {
		Code            int
		Status, Message string
		Details         []map[string]any
	}
}

func (s *said) add(t *testing.T, chunk []byte) {
	t.Helper()
	var next said
	if err := json.Unmarshal(chunk, &next); err != nil {
		t.Fatalf("%s: %v", chunk, err)
	}
	next.Candidates = append(s.Candidates, next.Candidates...)
	*s = next
}

// of is a candidate's thoughts, text, calls and reason.
func (s *said) of(index int) (thoughts, text, call, reason string) {
	for _, candidate := range s.Candidates {
		if candidate.Index != index {
			continue
		}
		for _, part := range candidate.Content.Parts {
			switch {
			case part.FunctionCall != nil:
				call = part.FunctionCall.Name + string(part.FunctionCall.Args) + part.ThoughtSignature
			case part.Thought:
				thoughts += part.Text
			default:
				text += part.Text
			}
		}
		reason = candidate.FinishReason
	}
	return thoughts, text, call, reason
}

// askGemini asks in one of three ways: whole, as events, as an array.
func askGemini(t *testing.T, server *httptest.Server, way, model, body string) *said {
	t.Helper()
	all := &said{}
	method := map[string]string{"whole": ":generateContent", "events": ":streamGenerateContent?alt=sse", "array": ":streamGenerateContent"}[way]
	response := postGemini(t, server, model+method, body, nil)
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	switch way {
	case "whole":
		all.add(t, text)
	case "events":
		for _, event := range strings.Split(strings.TrimSuffix(string(text), "\r\n\r\n"), "\r\n\r\n") {
			all.add(t, []byte(strings.TrimPrefix(event, "data: ")))
		}
	case "array":
		var chunks []json.RawMessage
		if err := json.Unmarshal(text, &chunks); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, chunk := range chunks {
			all.add(t, chunk)
		}
	}
	return all
}

func TestGeminiAnswers(t *testing.T) {
	for _, way := range []string{"whole", "events", "array"} {
		t.Run(way, func(t *testing.T) {
			mock, server := start(t, llmtest.Options{AnswerTokens: 4, ReasoningTokens: 2, CachedTokens: 5})
			got := askGemini(t, server, way, "gemini-2.5-flash", `{"system_instruction":{"parts":{"text":"be brief"}},"contents":{"parts":[{"text":"how much water"}]},
				"generation_config":{"candidate_count":2,"thinking_config":{"include_thoughts":true}}}`)
			for i := range 2 {
				thoughts, text, _, reason := got.of(i)
				if want := llmtest.Answer("how much water", i, 4); text != want || reason != "STOP" || thoughts == "" {
					t.Errorf("candidate %d: %q, %q, %q; want %q", i, thoughts, text, reason, want)
				}
			}
			usage := got.UsageMetadata
			want := []int64{14, 8, 5, 4, 26}
			if diff := cmp.Diff(want, []int64{usage.PromptTokenCount, usage.CandidatesTokenCount, usage.CachedContentTokenCount, usage.ThoughtsTokenCount, usage.TotalTokenCount}); diff != "" {
				t.Error(diff)
			}
			served := llmtest.Served{Requests: 1, Completed: 1, Tokens: llmtest.Tokens{Input: 9, CachedInput: 5, Output: 8, Reasoning: 4}}
			if diff := cmp.Diff(served, mock.Ledger().Total); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGeminiOutputCap(t *testing.T) {
	_, server := start(t, llmtest.Options{ReasoningTokens: 5})
	got := askGemini(t, server, "events", "m", `{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"maxOutputTokens":7}}`)
	if _, text, _, reason := got.of(0); reason != "MAX_TOKENS" || llmtest.CountWords(text) != 2 || got.UsageMetadata.ThoughtsTokenCount != 5 {
		t.Errorf("%q, %q, %+v", text, reason, got.UsageMetadata)
	}
}

func TestGeminiCallsAndFills(t *testing.T) {
	_, server := start(t, llmtest.Options{AnswerTokens: 1})
	tools := `,"tools":[{"functionDeclarations":[{"name":"flow"},{"name":"level","parameters":{"type":"OBJECT","properties":{"weir":{"type":"INTEGER"},"unit":{"type":"STRING","enum":["m"]},"at":{"type":"ARRAY","items":{"type":"BOOLEAN"}}}}}]}]`
	for _, way := range []string{"whole", "events"} {
		got := askGemini(t, server, way, "m", `{"contents":[{"parts":[{"text":"a"}]}]`+tools+`,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["level"]}}}`)
		if _, text, call, reason := got.of(0); call != `level{"weir":1,"unit":"m","at":[true]}c2lnbmVkIGxldmVs` || text != "" || reason != "STOP" {
			t.Errorf("%s: %q, %q, %q", way, call, text, reason)
		}
		got = askGemini(t, server, way, "m", `{"contents":[{"parts":[{"text":"a"}]}]`+tools+`}`)
		if _, text, call, _ := got.of(0); call != "" || text == "" {
			t.Errorf("%s: a function is called unasked: %q, %q", way, call, text)
		}
		got = askGemini(t, server, way, "m", `{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"properties":{"level":{"type":"number"}}}}}`)
		if _, text, _, _ := got.of(0); text != `{"level":1}` {
			t.Errorf("%s: %q", way, text)
		}
	}
}

func TestGeminiRefuses(t *testing.T) {
	mock, server := start(t, llmtest.Options{Models: []string{"gemini-3-flash", "m"}})
	call := `{"role":"model","parts":[{"functionCall":{"name":"f"}}]}`
	for name, test := range map[string]struct {
		call, body string
		header     http.Header
		code       int
		status     string
	}{
		"no_key":             {"m:generateContent", `{}`, http.Header{"X-Goog-Api-Key": nil}, 403, "PERMISSION_DENIED"},
		"wrong_key":          {"m:generateContent", `{}`, http.Header{"X-Goog-Api-Key": {"AIza"}}, 400, "INVALID_ARGUMENT"},
		"no_model":           {"x:generateContent", `{}`, nil, 404, "NOT_FOUND"},
		"no_method":          {"m:think", `{}`, nil, 404, "NOT_FOUND"},
		"no_json":            {"m:generateContent", `{`, nil, 400, "INVALID_ARGUMENT"},
		"unknown_field":      {"m:generateContent", `{"messages":[]}`, nil, 400, "INVALID_ARGUMENT"},
		"no_contents":        {"m:generateContent", `{"contents":[]}`, nil, 400, "INVALID_ARGUMENT"},
		"no_parts":           {"m:generateContent", `{"contents":[{"parts":[]}]}`, nil, 400, "INVALID_ARGUMENT"},
		"system_role":        {"m:generateContent", `{"contents":[{"role":"system","parts":[{"text":"a"}]}]}`, nil, 400, "INVALID_ARGUMENT"},
		"unanswered_call":    {"m:generateContent", `{"contents":[` + call + `,{"parts":[{"text":"a"}]}]}`, nil, 400, "INVALID_ARGUMENT"},
		"unsigned_call":      {"gemini-3-flash:generateContent", `{"contents":[` + call + `,{"parts":[{"functionResponse":{"name":"f"}}]}]}`, nil, 400, "INVALID_ARGUMENT"},
		"two_ways_to_think":  {"m:generateContent", `{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"thinkingConfig":{"thinkingBudget":1,"thinkingLevel":"LOW"}}}`, nil, 400, "INVALID_ARGUMENT"},
		"too_many":           {"m:generateContent", `{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"candidateCount":9}}`, nil, 400, "INVALID_ARGUMENT"},
		"no_tool_to_call":    {"m:generateContent", `{"contents":[{"parts":[{"text":"a"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}}`, nil, 400, "INVALID_ARGUMENT"},
		"no_text_to_embed":   {"m:embedContent", `{"content":{"parts":[]}}`, nil, 400, "INVALID_ARGUMENT"},
		"nothing_to_count":   {"m:countTokens", `{}`, nil, 400, "INVALID_ARGUMENT"},
		"what_fault_is_that": {"m:generateContent", `{"contents":[{"parts":[{"text":"a"}]}]}`, http.Header{llmtest.FaultHeader: {"{"}}, 400, "INVALID_ARGUMENT"},
	} {
		t.Run(name, func(t *testing.T) {
			mock.Reset()
			response := postGemini(t, server, test.call, test.body, test.header)
			var got said
			if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.code || got.Error.Code != test.code || got.Error.Status != test.status || got.Error.Message == "" {
				t.Errorf("status %d, %+v", response.StatusCode, got.Error)
			}
			if ledger := mock.Ledger(); ledger.Refused != 1 || ledger.Total.Requests != 0 {
				t.Errorf("ledger %+v", ledger)
			}
		})
	}
}

func TestGeminiKeyInTheQuery(t *testing.T) {
	_, server := start(t, llmtest.Options{})
	response := postGemini(t, server, "m:generateContent?key="+apiKey, `{"contents":[{"parts":[{"text":"a"}]}]}`, http.Header{"X-Goog-Api-Key": nil})
	if response.StatusCode != 200 {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestGeminiFaults(t *testing.T) {
	for name, test := range map[string]struct {
		fault  llmtest.Fault
		check  func(t *testing.T, status int, text string, err error)
		output int64
	}{
		"status": {llmtest.Fault{Kind: llmtest.Status, Status: 429, RetryAfter: 1500 * time.Millisecond}, func(t *testing.T, status int, text string, _ error) {
			if status != 429 || !strings.Contains(text, `"RESOURCE_EXHAUSTED"`) || !strings.Contains(text, `"retryDelay":"1.5s"`) {
				t.Errorf("status %d, %s", status, text)
			}
		}, 0},
		"cut": {llmtest.Fault{Kind: llmtest.Cut, After: 2}, func(t *testing.T, _ int, text string, err error) {
			if !errors.Is(err, io.ErrUnexpectedEOF) || strings.Count(text, "\r\n\r\n") != 2 {
				t.Errorf("%v in %s", err, text)
			}
		}, 3},
		"malformed": {llmtest.Fault{Kind: llmtest.Malformed, After: 1}, func(t *testing.T, _ int, text string, err error) {
			if err != nil || !strings.Contains(text, "not an event") || !strings.Contains(text, `"STOP"`) {
				t.Errorf("%v in %s", err, text)
			}
		}, 4},
		"huge": {llmtest.Fault{Kind: llmtest.Huge, After: 1, Size: 1 << 20}, func(t *testing.T, _ int, text string, err error) {
			if err != nil || len(text) < 1<<20 {
				t.Errorf("%d bytes, %v", len(text), err)
			}
		}, 5},
		"error_event": {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 1}, func(t *testing.T, status int, text string, err error) {
			if err != nil || status != 200 || !strings.Contains(text, "\r\n\r\ndata: {\"error\":{\"code\":500") {
				t.Errorf("status %d, %v in %s", status, err, text)
			}
		}, 2},
		"error_body": {llmtest.Fault{Kind: llmtest.ErrorBody}, func(t *testing.T, status int, text string, _ error) {
			if status != 200 || !strings.HasPrefix(text, `{"error":`) {
				t.Errorf("status %d, %s", status, text)
			}
		}, 0},
		"no_usage": {llmtest.Fault{Kind: llmtest.NoUsage}, func(t *testing.T, _ int, text string, _ error) {
			if strings.Contains(text, "usage") || !strings.Contains(text, `"STOP"`) {
				t.Error(text)
			}
		}, 4},
		"no_done": {llmtest.Fault{Kind: llmtest.NoDone}, func(t *testing.T, _ int, text string, err error) {
			if err != nil || strings.Contains(text, "finishReason") || strings.Count(text, "data: ") != 4 {
				t.Errorf("%v in %s", err, text)
			}
		}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			mock, server := start(t, llmtest.Options{AnswerTokens: 4})
			mock.Script(test.fault)
			response := postGemini(t, server, "m:streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":"a"}]}]}`, nil)
			text, err := io.ReadAll(response.Body)
			test.check(t, response.StatusCode, string(text), err)
			server.Close()
			if got := mock.Ledger().Total.Tokens.Output; got != test.output {
				t.Errorf("the ledger counts %d output tokens, want %d", got, test.output)
			}
		})
	}
}

func TestGeminiCountsAndEmbeds(t *testing.T) {
	mock, server := start(t, llmtest.Options{})
	for body, want := range map[string]string{
		`{"contents":[{"parts":[{"text":"a b"}]}]}`:                                                 `{"totalTokens":8,`,
		`{"generateContentRequest":{"model":"models/m","contents":[{"parts":[{"text":"a b c"}]}]}}`: `{"totalTokens":9,`,
	} {
		text, _ := io.ReadAll(postGemini(t, server, "m:countTokens", body, nil).Body)
		if !strings.HasPrefix(string(text), want) {
			t.Errorf("%s: %s", body, text)
		}
	}
	if got := mock.Ledger().Total; got.Requests != 0 {
		t.Errorf("counting is billed: %+v", got)
	}
	text, _ := io.ReadAll(postGemini(t, server, "m:embedContent", `{"model":"models/m","content":{"parts":[{"text":"a b"}]}}`, nil).Body)
	var embedded struct{ Embedding struct{ Values []float64 } }
	if err := json.Unmarshal(text, &embedded); err != nil || len(embedded.Embedding.Values) != 8 {
		t.Errorf("%s, %v", text, err)
	}
	if got := mock.Ledger().Total.Tokens; got.Input != 2 {
		t.Errorf("ledger %+v", got)
	}
}

func TestGeminiModels(t *testing.T) {
	_, server := start(t, llmtest.Options{Models: []string{"m1", "m2"}})
	for path, want := range map[string]string{"": `"name":"models/m2"`, "/m1": `"name":"models/m1"`, "/m3": `"NOT_FOUND"`} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1beta/models"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Goog-Api-Key", apiKey)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if !strings.Contains(string(text), want) {
			t.Errorf("%s: %s", path, text)
		}
	}
}
