package anthropic_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestSplice(t *testing.T) {
	body := ` {"max_tokens":1, "model" : "r" , "x":[ ]}`
	request, refusal := anthropic.ParseRequest([]byte(body))
	if refusal != nil {
		t.Fatal(refusal)
	}
	got := bytes.Join(request.Splice(nil, []byte(body), []byte(`"up"`)), nil)
	if want := ` {"max_tokens":1, "model" : "up" , "x":[ ]}`; string(got) != want || request.Model != "r" {
		t.Errorf("model %q, body\n%s, want\n%s", request.Model, got, want)
	}
}

func TestRefusedBodies(t *testing.T) {
	for body, want := range map[string]anthropic.Error{
		`{"model":"a","model":"a"}`:           {Code: "invalid_json", Param: "model"},
		`{"model":"a","MODEL":"b"}`:           {Code: "invalid_json", Param: "model"},
		`{"model":"a","mode\u006c":"b"}`:      {Code: "invalid_json", Param: "model"},
		`{"model":"a","ſtream":true}`:         {Code: "invalid_json", Param: "stream"},
		`{"model":"a","max_toKens":1}`:        {Code: "invalid_json", Param: "max_tokens"},
		`{"model":"a","tools":[],"tools":[]}`: {Code: "invalid_json", Param: "tools"},
		`{"model":7}`:                         {Code: "model_missing", Param: "model"},
		`{"messages":[]}`:                     {Code: "model_missing", Param: "model"},
		`{"model":"a"`:                        {Code: "invalid_json"},
		`["model"]`:                           {Code: "invalid_json"},
	} {
		_, refusal := anthropic.ParseRequest([]byte(body))
		if refusal == nil || refusal.Code != want.Code || refusal.Param != want.Param || refusal.Status != 400 || refusal.Message == "" {
			t.Errorf("%s: %v", body, refusal)
		}
	}
}

func TestBoundsOfARequest(t *testing.T) {
	for fields, want := range map[string]dialect.Request{
		``:                                      {},
		`,"max_tokens":5,"stream":true`:         {MaxOutput: 5, Stream: true},
		`,"max_tokens":1e3,"stream":"true"`:     {MaxOutput: dialect.Unknown},
		`,"max_tokens":-1`:                      {MaxOutput: dialect.Unknown},
		`,"max_tokens":null`:                    {},
		`,"service_tier":"auto","speed":"fast"`: {ServiceTier: "fast"},
		`,"speed":7`:                            {Unpriced: true},
		`,"inference_geo":["us"]`:               {Unpriced: true},
		`,"service_tier":7`:                     {},
		`,"speed":"standard","inference_geo":"global"`:                          {Geo: "global"},
		`,"speed":null,"inference_geo":null`:                                    {},
		`,"inference_geo":"us"`:                                                 {Geo: "us"},
		`,"messages":[{"content":[{"type":"image","source":{"type":"url"}}]}]`:  {OpenEnded: true},
		`,"messages":[{"content":[{"s\u006furce":{}}]}]`:                        {OpenEnded: true},
		`,"messages":[{"content":[{"type":"container_upload","file_id":"f"}]}]`: {OpenEnded: true},
		`,"messages":[{"content":"a \"source\": in text is none"}]`:             {},
		`,"tools":[]`: {},
		`,"tools":[{"name":"a","input_schema":{"type":"object","properties":{"type":{"type":"string"}}}}]`: {Beside: 1000},
		`,"tools":[{"type":"custom","name":"a"}]`:                                                          {Beside: 1000},
		`,"tools":[{"name":"web_search","type" : "web_search_20260209"}]`:                                  {Beside: 1000, OpenEnded: true},
		`,"tools":[{"type":"mcp_toolset"}]`:                                                                {Beside: 1000, OpenEnded: true},
		`,"tools":[{"type":"web\u005fsearch_20250305"}]`:                                                   {Beside: 1000, OpenEnded: true},
		`,"mcp_servers":[{}]`: {OpenEnded: true},
		`,"container":"c"`:    {OpenEnded: true},
		`,"container":null`:   {},
	} {
		got, refusal := anthropic.ParseRequest([]byte(`{"model":"m"` + fields + `}`))
		if refusal != nil {
			t.Fatal(refusal)
		}
		got.Model = ""
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(dialect.Request{}, "Caps", "Fields", "ModelAt", "Options", "Choices", "AsksUsage")); diff != "" {
			t.Errorf("%s: %s", fields, diff)
		}
	}
}

// Tools that Anthropic runs ask the model again, however their type is written.
func TestToolsThatLoop(t *testing.T) {
	for tools, want := range map[string]string{
		`[{"type":"web_search_20250305","name":"web_search"}]`:                      "tools",
		`[{"typ\u0065":"web_search_20250305","name":"web_search"}]`:                 "tools",
		`[{"type":"custom","name":"a"},{"type":"custom","typ\u0065":"b"}]`:          "tools",
		`[{"type":"custom","type":"code_execution_20250825"}]`:                      "tools",
		`[{"type":"bash_20250124","name":"bash"}]`:                                  "",
		`[{"name":"a","input_schema":{"properties":{"t\u00e4g":{}}}}]`:              "",
		`[{"name":"a","description":"its \"typ\u0065\": \u0022x","type":"custom"}]`: "",
	} {
		got, refusal := anthropic.ParseRequest([]byte(`{"model":"m","tools":` + tools + `}`))
		if refusal != nil || got.Fields.Loops != want {
			t.Errorf("%s: %q, %v", tools, got.Fields.Loops, refusal)
		}
	}
}

func TestUsage(t *testing.T) {
	for name, test := range map[string]struct {
		usage string
		want  *usagev1.TokenUsage
	}{
		"plain":               {`{"input_tokens":10,"output_tokens":20}`, &usagev1.TokenUsage{Input: 10, Output: 20}},
		"caches_beside_input": {`{"input_tokens":30,"cache_read_input_tokens":40,"cache_creation_input_tokens":25,"cache_creation":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":5},"output_tokens":50,"output_tokens_details":{"thinking_tokens":30},"server_tool_use":{"web_search_requests":2}}`, &usagev1.TokenUsage{Input: 30, CacheRead: 40, CacheWrite_5M: 20, CacheWrite_1H: 5, Output: 20, Reasoning: 30}},
		"no_split":            {`{"input_tokens":1,"cache_creation_input_tokens":7,"output_tokens":2}`, &usagev1.TokenUsage{Input: 1, CacheWrite_5M: 7, Output: 2}},
		"no_total":            {`{"input_tokens":1,"cache_creation":{"ephemeral_1h_input_tokens":7},"output_tokens":2}`, &usagev1.TokenUsage{Input: 1, CacheWrite_1H: 7, Output: 2}},
		"total_holds":         {`{"input_tokens":1,"cache_creation_input_tokens":7,"cache_creation":{"ephemeral_1h_input_tokens":9},"output_tokens":2}`, &usagev1.TokenUsage{Input: 1, CacheWrite_1H: 7, Output: 2}},
		"nulls":               {`{"input_tokens":1,"cache_creation":null,"cache_creation_input_tokens":null,"cache_read_input_tokens":null,"output_tokens":0}`, &usagev1.TokenUsage{Input: 1}},
		"thinking_beyond":     {`{"input_tokens":1,"output_tokens":5,"output_tokens_details":{"thinking_tokens":9}}`, &usagev1.TokenUsage{Input: 1, Reasoning: 5}},
		"negative":            {`{"input_tokens":-1,"output_tokens":5}`, nil},
		"fraction":            {`{"input_tokens":1.5,"output_tokens":5}`, nil},
		"huge":                {`{"input_tokens":1,"output_tokens":9999999999999999999}`, nil},
		"half":                {`{"input_tokens":1}`, nil},
		"null":                {`null`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			answer := anthropic.ParseAnswer([]byte(`{"type":"message","content":[],"usage": ` + test.usage + ` }`))
			if diff := cmp.Diff(test.want, answer.Usage, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			sum := sha256.Sum256([]byte(test.usage))
			if test.want != nil && !bytes.Equal(answer.UsageSHA256, sum[:]) || test.want == nil && answer.UsageSHA256 != nil {
				t.Errorf("digest %x", answer.UsageSHA256)
			}
		})
	}
}

// What message_start says is provisional; each message_delta says anew what it has.
func TestUsageOfAStream(t *testing.T) {
	var meter anthropic.Meter
	start := `{"input_tokens":25,"cache_read_input_tokens":9,"cache_creation_input_tokens":8,"cache_creation":{"ephemeral_1h_input_tokens":8},"output_tokens":1,"service_tier":"priority"}`
	if said := meter.Look([]byte(`{"type":"message_start","message":{"id":"m","usage":` + start + `}}`)); said.Usage != nil || said.ServiceTier != "priority" {
		t.Errorf("provisional usage: %+v", said)
	}
	for delta, want := range map[string]*usagev1.TokenUsage{
		`{"output_tokens":15}`: {Input: 25, CacheRead: 9, CacheWrite_1H: 8, Output: 15},
		`{"input_tokens":90,"cache_read_input_tokens":0,"output_tokens":40}`: {Input: 90, CacheWrite_1H: 8, Output: 40},
	} {
		again := meterAt(start)
		said := again.Look([]byte(`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":` + delta + `}`))
		if diff := cmp.Diff(want, said.Usage, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
		sum := sha256.Sum256([]byte(start + delta))
		if !bytes.Equal(said.UsageSHA256, sum[:]) {
			t.Errorf("digest %x, want %x", said.UsageSHA256, sum)
		}
	}
	if said := meter.Look([]byte(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`)); !said.Failed || said.Usage != nil {
		t.Errorf("an error: %+v", said)
	}
}

func meterAt(usage string) *anthropic.Meter {
	meter := new(anthropic.Meter)
	meter.Look([]byte(`{"type":"message_start","message":{"usage":` + usage + `}}`))
	return meter
}

func TestLooksOfEvents(t *testing.T) {
	for data, want := range map[string]struct{ speaks, done, finishes, opens bool }{
		``:                {opens: true},
		`{"type":"ping"}`: {opens: true},
		`{"type":"message_start","message":{"id":"m","content":[ ],"stop_reason":null,"usage":{"input_tokens":1}}}`:   {speaks: true, opens: true},
		`{"type":"message_start","message":{"content":[{"type":"text"}]}}`:                                            {},
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`:                          {opens: true},
		`{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`:   {opens: true},
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":" "}}`:                         {},
		`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"n","input":{}}}`: {},
		`{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"d"}}`:            {},
		`{"type":"content_block_start","index":0,"content_block":{"type":"something_new"}}`:                           {},
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"message_stop \"usage\":1"}}`:    {},
		`{"type":"content_block_stop","index":0}`:                                                                     {},
		`{"type":"message_delta","delta":{"stop_reason": "end_turn"},"usage":{"output_tokens":1}}`:                    {speaks: true, finishes: true},
		`{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":1}}`:                           {speaks: true},
		`{"type": "message_stop"}`:                      {done: true},
		`{"type":"error","error":{"type":"api_error"}}`: {speaks: true},
		`{"type":"something_new"}`:                      {},
		`{"type":`:                                      {},
	} {
		raw := []byte(data)
		got := struct{ speaks, done, finishes, opens bool }{anthropic.Speaks(raw), anthropic.Done(raw), anthropic.Finishes(raw), anthropic.Opens(raw)}
		if got != want {
			t.Errorf("%s: %+v, want %+v", data, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for status, want := range map[int]string{
		400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
		404: "not_found_error", 409: "conflict_error", 413: "request_too_large", 422: "invalid_request_error",
		429: "rate_limit_error", 500: "api_error", 502: "api_error", 503: "api_error", 504: "timeout_error", 529: "overloaded_error",
	} {
		refusal := anthropic.Error{Status: status, Code: "c", Param: "p", Message: "m"}
		wantBody := `{"type":"error","error":{"type":"` + want + `","message":"m","code":"c","param":"p"}}`
		if got := string(refusal.Body()); got != wantBody+"\n" {
			t.Errorf("body %s", got)
		}
		if got := string(refusal.Event()); got != "event: error\ndata: "+wantBody+"\n\n" {
			t.Errorf("event %s", got)
		}
	}
}

// FuzzParseRequest: what is accepted stays JSON once it is spliced, with the new
// model, and nothing else is different.
func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{`{"model":"m"}`, ` {"stream":true,"model" : "m","max_tokens":1}`, `{"model":"m","tools":[{"type":"x_20250101"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		anthropic.ParseAnswer(body)
		anthropic.Opens(body)
		request, refusal := anthropic.ParseRequest(body)
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
