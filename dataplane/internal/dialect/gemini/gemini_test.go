package gemini_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestPaths(t *testing.T) {
	for path, want := range map[string][2]string{
		"/v1beta/models/gemini-2.5-flash:generateContent":       {"gemini-2.5-flash", "generateContent"},
		"/v1beta/models/team/a:b:streamGenerateContent":         {"team/a:b", "streamGenerateContent"},
		"/v1beta/models/m:countTokens":                          {"m", "countTokens"},
		"/v1beta/models/m:embedContent":                         {"m", "embedContent"},
		"/v1beta/models/m:batchGenerateContent":                 {},
		"/v1beta/models/:generateContent":                       {},
		"/v1beta/models/m":                                      {},
		"/v1beta/tunedModels/m:generateContent":                 {},
		"/v1beta/models/m:batchEmbedContents":                   {"m", "batchEmbedContents"},
		"/v1/models/m:generateContent":                          {"m", "generateContent"},
		"/v2/models/m:generateContent":                          {},
		"/v1beta/models/m:generateContent/x:embedContentsOther": {},
	} {
		model, method, ok := gemini.ParsePath(path)
		if model != want[0] || method != want[1] || ok != (want[0] != "") {
			t.Errorf("%s: %q, %q, %v", path, model, method, ok)
		}
	}
}

func TestSplice(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"no_model":      {` {"contents":[ ]}`, ` {"contents":[ ]}`},
		"model":         {`{"model" : "models/r", "content":{}}`, `{"model" : "models/up", "content":{}}`},
		"model_nested":  {`{"generateContentRequest":{"contents":[],"model":"models/r"}}`, `{"generateContentRequest":{"contents":[],"model":"models/up"}}`},
		"model_twice":   {`{"generate_content_request":{"model":"a"},"model":"b"}`, `{"generate_content_request":{"model":"models/up"},"model":"models/up"}`},
		"model_after":   {`{"requests":[{"model":"a"},7,{"content":{},"model":"b"}],"model":"c"}`, `{"requests":[{"model":"models/up"},7,{"content":{},"model":"models/up"}],"model":"models/up"}`},
		"model_no_text": {`{"model":7,"generateContentRequest":[]}`, `{"model":7,"generateContentRequest":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			request, refusal := gemini.ParseRequest([]byte(test.body))
			if refusal != nil {
				t.Fatal(refusal)
			}
			if got := string(bytes.Join(request.Splice(nil, []byte(test.body), []byte(`"up"`)), nil)); got != test.want {
				t.Errorf("body\n%s, want\n%s", got, test.want)
			}
		})
	}
}

func TestAmbiguousRequestsAreRefused(t *testing.T) {
	for body, field := range map[string]string{
		`{"generationConfig":{},"generation_config":{}}`:                    "generationConfig",
		`{"generationConfig":{"maxOutputTokens":1,"max_output_tokens":2}}`:  "generationConfig.maxOutputTokens",
		`{"generationConfig":{"maxoutputtokens":1}}`:                        "generationConfig.maxOutputTokens",
		`{"generationConfig":{"candidateCount":1,"candidateCount":2}}`:      "generationConfig.candidateCount",
		`{"generationConfig":{"candidateC\u006funt":1,"candidateCount":2}}`: "generationConfig.candidateCount",
		`{"service_tier":"a","Service_Tier":"b"}`:                           "serviceTier",
		`{"generateContentRequest":{"model":"a","model":"b"}}`:              "generateContentRequest.model",
		`{"requests":[{},{"model":"a","mod\u0065l":"b"}]}`:                  "requests[1].model",
		`{"cachedContent":"a","cached_content":"b"}`:                        "cachedContent",
	} {
		if _, refusal := gemini.ParseRequest([]byte(body)); refusal == nil || refusal.Code != "invalid_json" || refusal.Param != field {
			t.Errorf("%s: %v", body, refusal)
		}
	}
	for _, body := range []string{`[]`, `{`, ``, `{"a":1}x`} {
		if _, refusal := gemini.ParseRequest([]byte(body)); refusal == nil || refusal.Status != 400 {
			t.Errorf("%s: %v", body, refusal)
		}
	}
}

func TestBoundsOfARequest(t *testing.T) {
	for fields, want := range map[string]dialect.Request{
		``: {Choices: 1},
		`"generationConfig":{"maxOutputTokens":5,"candidateCount":3}`:           {MaxOutput: 5, Choices: 3},
		`"generation_config":{"max_output_tokens":"5","candidate_count":2}`:     {MaxOutput: 5, Choices: 2},
		`"generationConfig":{"maxOutputTokens":1e3,"candidateCount":0}`:         {MaxOutput: dialect.Unknown, Choices: dialect.Unknown},
		`"generationConfig":{"maxOutputTokens":null}`:                           {Choices: 1},
		`"generationConfig":null`:                                               {Choices: 1},
		`"generationConfig":{"responseModalities":["audio"]}`:                   {Choices: 1, AsksAudio: true},
		`"generationConfig":{"responseModalities":["TEXT"]}`:                    {Choices: 1},
		`"generationConfig":{"speechConfig":{"voiceConfig":{}}}`:                {Choices: 1, AsksAudio: true},
		`"serviceTier":"flex"`:                                                  {Choices: 1, ServiceTier: "flex"},
		`"cachedContent":"cachedContents/a"`:                                    {Choices: 1, OpenEnded: true},
		`"tools":[{"google_search":{}}]`:                                        {Choices: 1, OpenEnded: true, Unpriced: true},
		`"tools":[{"urlContext":{}}]`:                                           {Choices: 1, OpenEnded: true},
		`"tools":[{"functionDeclarations":[{"googleSearch":1}]}]`:               {Choices: 1, OpenEnded: true},
		`"generationConfig":{"responseModalities":["TEXT","image"]}`:            {Choices: 1, AsksImages: true},
		`"tools":[{"functionDeclarations":[]}]`:                                 {Choices: 1},
		`"contents":[{"parts":[{"inlineData":{"mimeType":"image/png"}}]}]`:      {Choices: 1, OpenEnded: true},
		`"contents":[{"parts":[{"inline_data":{"mime_type":"audio/wav"}}]}]`:    {Choices: 1, OpenEnded: true, SendsAudio: true},
		`"contents":[{"parts":[{"fileData":{"fileUri":"https://a"}}]}]`:         {Choices: 1, OpenEnded: true, SendsAudio: true},
		`"contents":[{"parts":[{"inlin\u0065Data":{"mimeType":"image/png"}}]}]`: {Choices: 1, OpenEnded: true, SendsAudio: true},
		`"contents":[{"parts":[{"text":"fileData, \"fileData\":"}]}]`:           {Choices: 1},
	} {
		got, refusal := gemini.ParseRequest([]byte(`{` + fields + `}`))
		if refusal != nil {
			t.Fatal(refusal)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(dialect.Request{}, "Caps", "Fields", "AsksUsage")); diff != "" {
			t.Errorf("%s: %s", fields, diff)
		}
	}
}

func TestUsage(t *testing.T) {
	for name, test := range map[string]struct {
		usage string
		want  *usagev1.TokenUsage
	}{
		"plain":            {`{"promptTokenCount":10,"candidatesTokenCount":20,"totalTokenCount":30}`, &usagev1.TokenUsage{Input: 10, Output: 20}},
		"all":              {`{"promptTokenCount":100,"cachedContentTokenCount":40,"toolUsePromptTokenCount":7,"candidatesTokenCount":50,"thoughtsTokenCount":30,"totalTokenCount":187,"promptTokensDetails":[{"modality":"TEXT","tokenCount":85},{"modality":"AUDIO","tokenCount":15}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":5}],"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":45}]}`, &usagev1.TokenUsage{Input: 57, CacheRead: 40, InputAudio: 10, Output: 5, Reasoning: 30, OutputAudio: 45}},
		"only_thoughts":    {`{"promptTokenCount":10,"thoughtsTokenCount":60,"totalTokenCount":70}`, &usagev1.TokenUsage{Input: 10, Reasoning: 60}},
		"unnamed_rest":     {`{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":40}`, &usagev1.TokenUsage{Input: 10, Output: 30}},
		"parts_beyond":     {`{"promptTokenCount":10,"cachedContentTokenCount":12,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":4}]}`, &usagev1.TokenUsage{CacheRead: 10}},
		"tool_audio":       {`{"promptTokenCount":1,"toolUsePromptTokenCount":9,"toolUsePromptTokensDetails":[{"modality":"AUDIO","tokenCount":4}]}`, &usagev1.TokenUsage{Input: 6, InputAudio: 4}},
		"images":           {`{"promptTokenCount":270,"candidatesTokenCount":1310,"totalTokenCount":1580,"promptTokensDetails":[{"modality":"TEXT","tokenCount":12},{"modality":"IMAGE","tokenCount":258}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290},{"modality":"TEXT","tokenCount":20}]}`, &usagev1.TokenUsage{Input: 270, Output: 20, OutputImage: 1290}},
		"negative":         {`{"promptTokenCount":-1,"candidatesTokenCount":5}`, nil},
		"fraction":         {`{"promptTokenCount":1.5}`, nil},
		"without_a_prompt": {`{"candidatesTokenCount":1}`, nil},
		"null":             {`null`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			answer := gemini.ParseAnswer([]byte(`{"candidates":[],"usageMetadata": ` + test.usage + ` }`))
			if diff := cmp.Diff(test.want, answer.Usage, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			if (answer.UsageSHA256 != nil) != (test.want != nil) || answer.Failed || answer.Unpriced {
				t.Errorf("%+v", answer)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	stream := `[{"candidates":[{"content":{"parts":[{"text":"a,]["}]}}],"usageMetadata":{"promptTokenCount":3}}` + "\n,\r\n" +
		`{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"serviceTier":"flex"}}` + "\n]"
	answer := gemini.ParseAnswer([]byte(stream))
	want := &usagev1.TokenUsage{Input: 3, Output: 2}
	if diff := cmp.Diff(want, answer.Usage, protocmp.Transform()); diff != "" || answer.ServiceTier != "flex" {
		t.Errorf("%+v, %s", answer, diff)
	}
	for _, failed := range []string{`{"error":{"code":500}}`, `[{"error":{"code":500}}]`} {
		if !gemini.ParseAnswer([]byte(failed)).Failed {
			t.Errorf("%s is not seen to be an error", failed)
		}
	}
	for _, nothing := range []string{``, `<html>`, `[`, `7`, `[{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1}},{"candi`,
		`[{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1}},`, `[{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1}}`} {
		if diff := cmp.Diff(dialect.Answer{}, gemini.ParseAnswer([]byte(nothing))); diff != "" {
			t.Errorf("%s: %s", nothing, diff)
		}
	}
}

func TestEvents(t *testing.T) {
	type look struct {
		finishes int
		opens    bool
	}
	for data, want := range map[string]look{
		``: {0, true},
		`{"usageMetadata":{"promptTokenCount":1},"modelVersion":"m"}`:                             {0, true},
		`{"candidates":[{"content":{"role":"model"},"index":0}]}`:                                 {0, true},
		`{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"}}]}`:                     {0, true},
		`{"candidates":[{"content":{"parts":[{"text":" "}]}}]}`:                                   {0, false},
		`{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"YQ=="}]}}]}`:          {0, false},
		`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"a"}}]}}]}`:                  {0, false},
		`{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}`:             {1, false},
		`{"candidates":[{"finishReason":"STOP"},{"finishReason":"MAX_TOKENS","index":1}]}`:        {2, false},
		`{"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}]}`:                           {0, false},
		`{"candidates":[{"content":{"parts":[{"functionCall":{"args":{"finishReason":"a"}}}]}}]}`: {0, false},
		`{"promptFeedback":{"blockReason":"SAFETY"}}`:                                             {1, false},
		`{"usageMetadata":{},"error":{}}`:                                                         {0, false},
		`{"something":"else"}`:                                                                    {0, false},
		`{"candidates":[`:                                                                         {0, false},
		`{"candidates":"a"}`:                                                                      {0, false},
	} {
		got := look{gemini.Finishes([]byte(data)), gemini.Opens([]byte(data))}
		if got != want {
			t.Errorf("%s: %+v, want %+v", data, got, want)
		}
	}
	if gemini.Speaks([]byte(`{"candidates":[]}`)) || !gemini.Speaks([]byte(`{"usageMetadata":{}}`)) || !gemini.Speaks([]byte(`{"error":{}}`)) {
		t.Error("what is worth parsing is not seen")
	}
}

func TestErrors(t *testing.T) {
	refusal := &gemini.Error{Status: 429, Code: "budget_exhausted", Param: "model", Message: `no "money"`, RetryAfter: 1500e6}
	want := `{"error":{"code":429,"message":"no \"money\"","status":"RESOURCE_EXHAUSTED","details":[` +
		`{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"weir","reason":"BUDGET_EXHAUSTED"},` +
		`{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"model","description":"no \"money\""}]},` +
		`{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}]}}`
	if got := string(refusal.Body()); got != want+"\n" {
		t.Errorf("body\n%s, want\n%s", got, want)
	}
	if got := string(refusal.Event()); got != "data: "+want+"\r\n\r\n" {
		t.Errorf("event %q", got)
	}
}

// FuzzParseRequest: what is accepted stays JSON once it is spliced, with no other model
// than the new one, and nothing else is different.
func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{`{"model":"m"}`, `{"generateContentRequest":{"model":"a","contents":[]},"model":"b"}`, `{"generation_config":{"candidate_count":2}}`, `{"requests":[{"model":"a"},{"model":"b"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		request, refusal := gemini.ParseRequest(body)
		if refusal != nil {
			return
		}
		spliced := bytes.Join(request.Splice(nil, body, []byte(`"up"`)), nil)
		var before, after map[string]any
		if json.Unmarshal(body, &before) != nil {
			t.Fatalf("%q is not JSON", body)
		}
		if err := json.Unmarshal(spliced, &after); err != nil {
			t.Fatalf("%q became %q: %v", body, spliced, err)
		}
		for _, m := range []map[string]any{before, after} {
			for _, name := range []string{"generateContentRequest", "generate_content_request"} {
				if inner, ok := m[name].(map[string]any); ok {
					rename(inner)
				}
			}
			if list, ok := m["requests"].([]any); ok {
				for _, element := range list {
					if inner, ok := element.(map[string]any); ok {
						rename(inner)
					}
				}
			}
			rename(m)
		}
		if !cmp.Equal(before, after) {
			t.Fatalf("%q became %q", body, spliced)
		}
	})
}

func rename(object map[string]any) {
	if _, ok := object["model"].(string); ok {
		object["model"] = "models/up"
	}
}
