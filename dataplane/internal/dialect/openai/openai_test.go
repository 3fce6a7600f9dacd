package openai_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestSplice(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"model_only":        {` {"a":1, "model" : "r" , "b":[ ]}`, ` {"a":1, "model" : "up" , "b":[ ]}`},
		"not_streamed":      {`{"model":"r","stream":false,"stream_options":null}`, `{"model":"up","stream":false,"stream_options":null}`},
		"options_absent":    {`{ "model":"r","stream":true}`, `{"stream_options":{"include_usage":true}, "model":"up","stream":true}`},
		"options_null":      {`{"stream_options":null,"stream":true,"model":"r"}`, `{"stream_options":{"include_usage":true},"stream":true,"model":"up"}`},
		"options_empty":     {`{"model":"r","stream":true,"stream_options":{ }}`, `{"model":"up","stream":true,"stream_options":{"include_usage":true }}`},
		"options_of_others": {`{"model":"r","stream":true,"stream_options":{"x":1}}`, `{"model":"up","stream":true,"stream_options":{"include_usage":true,"x":1}}`},
		"usage_refused":     {`{"stream_options":{"include_usage" : false},"model":"r","stream":true}`, `{"stream_options":{"include_usage" : true},"model":"up","stream":true}`},
		"usage_asked_for":   {`{"model":"r","stream":true,"stream_options":{"include_usage":true}}`, `{"model":"up","stream":true,"stream_options":{"include_usage":true}}`},
		"options_wrong":     {`{"model":"r","stream":true,"stream_options":7}`, `{"model":"up","stream":true,"stream_options":7}`},
	} {
		t.Run(name, func(t *testing.T) {
			request, refusal := openai.ParseRequest([]byte(test.body))
			if refusal != nil {
				t.Fatal(refusal)
			}
			got := bytes.Join(request.Splice(nil, []byte(test.body), []byte(`"up"`)), nil)
			if string(got) != test.want || request.Model != "r" {
				t.Errorf("model %q, body\n%s, want\n%s", request.Model, got, test.want)
			}
			if request.AsksUsage != (name == "usage_asked_for") {
				t.Errorf("asks for usage: %v", request.AsksUsage)
			}
		})
	}
}

func TestAmbiguousRequestsAreRefused(t *testing.T) {
	for _, body := range []string{
		`{"model":"a","model":"a"}`, `{"model":"a","MODEL":"b"}`, `{"model":"a","mode\u006c":"b"}`,
		`{"model":"a","ſtream":true}`, `{"model":"a","max_toKens":1}`,
		`{"model":"a","stream":true,"stream_options":{"include_usage":false,"Include_Usage":true}}`,
	} {
		if _, refusal := openai.ParseRequest([]byte(body)); refusal == nil || refusal.Code != "invalid_json" || refusal.Param == "" {
			t.Errorf("%s: %v", body, refusal)
		}
	}
}

func TestBoundsOfARequest(t *testing.T) {
	for fields, want := range map[string]dialect.Request{
		``:                      {Choices: 1},
		`,"max_tokens":5,"n":3`: {MaxOutput: 5, Choices: 3},
		`,"max_tokens":5,"max_completion_tokens":9`:                        {MaxOutput: 9, Choices: 1},
		`,"max_tokens":null,"n":null`:                                      {Choices: 1},
		`,"max_tokens":1e3`:                                                {MaxOutput: dialect.Unknown, Choices: 1},
		`,"max_tokens":-1,"n":0`:                                           {MaxOutput: dialect.Unknown, Choices: dialect.Unknown},
		`,"service_tier":"flex"`:                                           {Choices: 1, ServiceTier: "flex"},
		`,"service_tier":"fl\u0065x"`:                                      {Choices: 1, ServiceTier: "flex"},
		`,"service_tier":7`:                                                {Choices: 1},
		`,"messages":[{"content":[{"image_url":{"url":"x"}}]}]`:            {Choices: 1, OpenEnded: true},
		`,"messages":[{"content":[{"imag\u0065_url":{}}]}]`:                {Choices: 1, OpenEnded: true, SendsAudio: true},
		`,"messages":[{"content":"an \"image_url\": in the text is not"}]`: {Choices: 1},
		`,"messages":[{"content":[{"input_audio":{"data":"x"}}]}]`:         {Choices: 1, OpenEnded: true, SendsAudio: true},
		`,"messages":[{"role":"assistant","audio":{"id":"a"}}]`:            {Choices: 1, OpenEnded: true, SendsAudio: true},
		`,"web_search_options":{}`:                                         {Choices: 1, OpenEnded: true, Unpriced: true},
		`,"search_parameters":{"mode":"auto"}`:                             {Choices: 1, OpenEnded: true, Unpriced: true},
		`,"plugins":[{"id":"web"}]`:                                        {Choices: 1, OpenEnded: true, Unpriced: true},
		`,"web_search_options":null,"plugins":[],"models":[],"tools":null`: {Choices: 1},
		`,"models":["dearer"]`:                                             {Choices: 1, OpenEnded: true, Unpriced: true},
		`,"tools":[{"type":"function","function":{"type":"web_search"}},{"custom":{},"type":"custom"},{"function":{}},7]`: {Choices: 1},
		`,"tools":[{"type":"function"},{"web_search":{},"type":"web_search"}]`:                                            {Choices: 1, OpenEnded: true, Unpriced: true},
		`,"tools":[{"type":"builtin_function","function":{"name":"$web_search"}}]`:                                        {Choices: 1, OpenEnded: true, Unpriced: true},
		`,"tools":[{"type":"function","type":"web_search"}]`:                                                              {Choices: 1, OpenEnded: true, Unpriced: true},
		`,"tools":[{"type":"function","Type":"web_search"}]`:                                                              {Choices: 1, OpenEnded: true, Unpriced: true},
		`,"tools":[{"typ\u0065":"web_search"}]`:                                                                           {Choices: 1, OpenEnded: true, Unpriced: true, SendsAudio: true},
		`,"audio":{"voice":"alloy"}`:                                                                                      {Choices: 1, AsksAudio: true},
		`,"audio":null,"modalities":["text"]`:                                                                             {Choices: 1},
		`,"modalities":["text","audio"]`:                                                                                  {Choices: 1, AsksAudio: true},
		`,"modalities":["\u0061udio"]`:                                                                                    {Choices: 1, AsksAudio: true},
	} {
		got, refusal := openai.ParseRequest([]byte(`{"model":"m"` + fields + `}`))
		if refusal != nil {
			t.Fatal(refusal)
		}
		got.Model = ""
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(dialect.Request{}, "Caps", "Fields", "ModelAt", "Options")); diff != "" {
			t.Errorf("%s: %s", fields, diff)
		}
	}
}

func TestUsage(t *testing.T) {
	for name, test := range map[string]struct {
		usage string
		want  *usagev1.TokenUsage
	}{
		"plain":               {`{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}`, &usagev1.TokenUsage{Input: 10, Output: 20}},
		"details":             {`{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":20,"audio_tokens":10},"completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":5,"accepted_prediction_tokens":3}}`, &usagev1.TokenUsage{Input: 30, CacheRead: 40, CacheWrite_5M: 20, InputAudio: 10, Output: 15, Reasoning: 30, OutputAudio: 5}},
		"details_null":        {`{"prompt_tokens":1,"completion_tokens":0,"prompt_tokens_details":null,"completion_tokens_details":{"reasoning_tokens":null}}`, &usagev1.TokenUsage{Input: 1}},
		"parts_beyond_totals": {`{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":8,"audio_tokens":8},"completion_tokens_details":{"reasoning_tokens":9}}`, &usagev1.TokenUsage{CacheRead: 8, InputAudio: 2, Reasoning: 5}},
		"reasoning_beside":    {`{"prompt_tokens":10,"completion_tokens":5,"total_tokens":22,"completion_tokens_details":{"reasoning_tokens":7}}`, &usagev1.TokenUsage{Input: 10, Output: 5, Reasoning: 7}},
		"negative":            {`{"prompt_tokens":-1,"completion_tokens":5}`, nil},
		"fraction":            {`{"prompt_tokens":1.5,"completion_tokens":5}`, nil},
		"half":                {`{"prompt_tokens":1}`, nil},
		"null":                {`null`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			answer := openai.ParseAnswer([]byte(`{"choices":[],"service_tier":"default","usage": ` + test.usage + ` }`))
			if diff := cmp.Diff(test.want, answer.Usage, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			if (answer.UsageSHA256 != nil) != (test.want != nil) || !answer.NoChoices || answer.ServiceTier != "default" {
				t.Errorf("%+v", answer)
			}
		})
	}
}

func TestServiceTier(t *testing.T) {
	for tier, want := range map[string]string{`"flex"`: "flex", `"fl\u0065x"`: "flex", `null`: "", `7`: ""} {
		if got := openai.ParseAnswer([]byte(`{"service_tier":` + tier + `}`)).ServiceTier; got != want {
			t.Errorf("%s: %q", tier, got)
		}
	}
}

func TestEventsWorthParsing(t *testing.T) {
	for data, want := range map[string]bool{
		`{"choices":[{"delta":{"content":"x"}}],"usage":null}`:   false,
		`{"choices":[{"delta":{"content":"x"}}],"usage" : null}`: false,
		`{"choices":[],"usage":{"prompt_tokens":1}}`:             true,
		`{"x":{"usage":null},"usage":{"prompt_tokens":1}}`:       true,
		`{"error":{"message":"x"}}`:                              true,
		`{"choices":[{"delta":{"content":"\"usage\":{"}}]}`:      false,
	} {
		if openai.Speaks([]byte(data)) != want {
			t.Errorf("%s: %v", data, !want)
		}
	}
	if openai.Finishes([]byte(`{"finish_reason":null}`)) || !openai.Finishes([]byte(`{"finish_reason": "stop"}`)) {
		t.Error("the reason to finish is not seen")
	}
}

func TestOpens(t *testing.T) {
	for data, want := range map[string]bool{
		"": true,
		`{"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}`: true,
		`{"choices":[ { "index":1,"delta":{} } ],"usage":null}`:                                                                   true,
		`{"choices":[],"prompt_filter_results":[{}]}`:                                                                             true,
		`{"choices":[{"delta":{"content":" "}}]}`:                                                                                 false,
		`{"choices":[{"delta":{"content":"","tool_calls":[{"index":0}]}}]}`:                                                       false,
		`{"choices":[{"delta":{"reasoning_content":"so"}}]}`:                                                                      false,
		`{"choices":[{"delta":{},"finish_reason":"stop"}]}`:                                                                       false,
		`{"choices":[{"delta":{}},{"delta":{}}]}`:                                                                                 false,
		`{"choices":[{"text":"a"}]}`:                                                                                              false,
		`{"choices":[{"delta":""}]}`:                                                                                              false,
		`{"choices":"a"}`:                                                                                                         false,
		`{"something":"else"}`:                                                                                                    false,
		`{"choices":[`:                                                                                                            false,
	} {
		if openai.Opens([]byte(data)) != want {
			t.Errorf("%s: %v", data, !want)
		}
	}
}

// FuzzParseRequest: what is accepted stays JSON once it is spliced, with the new
// model, and nothing outside of stream_options is different.
func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{`{"model":"m"}`, `{"model":"m","stream":true}`, `{"stream":true,"stream_options":{"include_usage":false},"model":"m","n":2}`, `{"model":"m","stream":true,"stream_options":{}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		request, refusal := openai.ParseRequest(body)
		if refusal != nil {
			return
		}
		spliced := bytes.Join(request.Splice(nil, body, []byte(`"up"`)), nil)
		before, after := fields(t, body), fields(t, spliced)
		if string(after["model"]) != `"up"` {
			t.Fatalf("%q became %q", body, spliced)
		}
		delete(before, "model")
		delete(after, "model")
		delete(before, "stream_options")
		delete(after, "stream_options")
		if !cmp.Equal(before, after) {
			t.Fatalf("%q became %q", body, spliced)
		}
	})
}

func fields(t *testing.T, text []byte) map[string]json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return m
}
