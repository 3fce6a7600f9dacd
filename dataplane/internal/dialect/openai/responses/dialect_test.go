package responses_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestPassedRequests(t *testing.T) {
	for name, test := range map[string]struct {
		rest string
		want dialect.Request
	}{
		"plain":           {`"input":"x"`, dialect.Request{}},
		"bounded":         {`"stream":true,"max_output_tokens":9,"service_tier":"flex"`, dialect.Request{Stream: true, MaxOutput: 9, ServiceTier: "flex"}},
		"no_number":       {`"max_output_tokens":"9"`, dialect.Request{MaxOutput: dialect.Unknown}},
		"an_image":        {`"input":[{"role":"user","content":[{"type":"input_image","image_url":"https://x.example/"}]}]`, dialect.Request{OpenEnded: true}},
		"a_file":          {`"input":[{"role":"user","content":[{"type":"input_file","file_id":"file-1"}]}]`, dialect.Request{OpenEnded: true}},
		"functions":       {`"tools":[{"type":"function","name":"f","parameters":{"type":"object"}},{"name":"c","type":"custom"}]`, dialect.Request{}},
		"a_search":        {`"tools":[{"type":"function","name":"f"},{"type":"web_search"}]`, dialect.Request{Unpriced: true, OpenEnded: true}},
		"a_search_twice":  {`"tools":[{"type":"function","type":"web_search"}]`, dialect.Request{Unpriced: true, OpenEnded: true}},
		"a_hidden_search": {`"tools":[{"type":"function","name":"f","typ\u0065":"web_search"}]`, dialect.Request{Unpriced: true, OpenEnded: true}},
		"a_stored_prompt": {`"prompt":{"id":"pmpt_1"}`, dialect.Request{Unpriced: true, OpenEnded: true}},
		"nothing_kept":    {`"background":false,"previous_response_id":null,"conversation":null,"store":false,"tools":null,"input":[]`, dialect.Request{}},
		"stored":          {`"store":true`, dialect.Request{}},
		"sent_back":       {`"input":[{"id":"msg_1","type":"message","role":"assistant","content":[]},{"id":"rs_1","type":"reasoning","summary":[]}]`, dialect.Request{}},
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"model":"m",` + test.rest + `}`
			got, refusal := responses.Passed{}.Parse([]byte(body))
			if refusal != nil || got.Model != "m" || body[got.ModelAt.From:got.ModelAt.To] != `"m"` || got.Choices != 1 {
				t.Fatalf("%+v %+v", got, refusal)
			}
			got.Model, got.ModelAt, got.Choices, got.Caps, got.Fields = "", dialect.Edit{}, 0, dialect.Caps{}, dialect.Fields{}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatAProviderKeepsIsRefused(t *testing.T) {
	for name, test := range map[string]struct{ rest, code, param string }{
		"background":        {`"background":true`, "unsupported_field", "background"},
		"previous_response": {`"previous_response_id":"resp_1"`, "unsupported_field", "previous_response_id"},
		"conversation":      {`"conversation":{"id":"conv_1"}`, "unsupported_field", "conversation"},
		"item_reference":    {`"input":[{"role":"user","content":"x"},{"type":"item_reference","id":"msg_1"}]`, "unsupported_field", "input"},
		"said_twice":        {`"input":[{"type":"message","role":"user","type":"item_reference","id":"msg_1"}]`, "unsupported_field", "input"},
		"said_in_escapes":   {`"input":[{"typ\u0065":"item_reference","id":"msg_1","role":"user"}]`, "unsupported_field", "input"},
		"bare_reference":    {`"input":[{"id":"msg_1"}]`, "unsupported_field", "input"},
		"twice":             {`"background":false,"background":true`, "invalid_json", "background"},
		"escaped":           {`"b\u0061ckground":true`, "unsupported_field", "background"},
		"no_model":          {`"model":"x"`, "invalid_json", "model"},
	} {
		t.Run(name, func(t *testing.T) {
			_, refusal := responses.Passed{}.Parse([]byte(`{"model":"m",` + test.rest + `}`))
			if refusal == nil || refusal.Status != 400 || string(refusal.Code) != test.code || refusal.Param != test.param {
				t.Errorf("%+v", refusal)
			}
		})
	}
}

const told = `{"id":"resp_1","status":"completed","error":null,"service_tier":"default","usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":6},` +
	`"output_tokens":87,"output_tokens_details":{"reasoning_tokens":80},"total_tokens":123}}`

func TestPassedUsage(t *testing.T) {
	want := &usagev1.TokenUsage{Input: 30, CacheRead: 6, Output: 7, Reasoning: 80}
	whole := responses.Passed{}.Answer([]byte(told))
	if diff := cmp.Diff(want, whole.Usage, protocmp.Transform()); diff != "" || whole.Failed || whole.ServiceTier != "default" || len(whole.UsageSHA256) != 32 {
		t.Errorf("%+v %s", whole, diff)
	}
	for kind, failed := range map[string]bool{"completed": false, "incomplete": false, "failed": true} {
		s := dialect.Stream{Request: &dialect.Request{Stream: true}}
		last := []byte(`{"type":"response.` + kind + `","sequence_number":9,"response":` + told + `}`)
		for _, event := range []string{`{"type":"response.created","response":{"error":null,"usage":null}}`, `{"type":"response.output_text.delta","delta":"\"response.completed\""}`} {
			if (responses.Passed{}).Look(&s, []byte(event)) || (responses.Passed{}).Done([]byte(event)) || s.Total || s.Answer.Failed {
				t.Errorf("%s: %+v", event, s)
			}
		}
		if (responses.Passed{}).Look(&s, last) || !(responses.Passed{}).Done(last) || !s.Total || s.Answer.Failed != failed {
			t.Errorf("%s: %+v", kind, s)
		}
		if diff := cmp.Diff(want, s.Answer.Usage, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
	s := dialect.Stream{Request: &dialect.Request{Stream: true}}
	if (responses.Passed{}).Look(&s, []byte(`{"type":"error","code":"server_error","message":"m"}`)); !s.Answer.Failed {
		t.Error("an error event was not noted")
	}
	if (responses.Passed{}).Glimpse(&s, []byte("event: response.completed\ndata: {\"type\":\"response.completed\",\"resp")); s.Finished != 1 {
		t.Error("the end of a stream was not seen in a piece of its last event")
	}
}

func TestPassedOpens(t *testing.T) {
	for event, want := range map[string]bool{
		"": true,
		`{"type":"response.created","response":{"output":[]}}`:                                            true,
		`{"type":"response.in_progress","response":{}}`:                                                   true,
		`{"type":"response.output_item.added","item":{"id":"m","type":"message","content":[]}}`:           true,
		`{"type":"response.output_item.added","item":{"id":"r","type":"reasoning","summary":[]}}`:         true,
		`{"type":"response.output_item.added","item":{"id":"f","type":"function_call","arguments":""}}`:   false,
		`{"type":"response.content_part.added","part":{"type":"output_text","text":"","annotations":[]}}`: true,
		`{"type":"response.content_part.added","part":{"type":"output_text","text":"x"}}`:                 false,
		`{"type":"response.output_text.delta","delta":"x"}`:                                               false,
		`{"type":"response.completed","response":{}}`:                                                     false,
		`nonsense`: false,
	} {
		if got := (responses.Passed{}).Opens([]byte(event)); got != want {
			t.Errorf("%s: %v", event, got)
		}
	}
}

func TestPassedErrorEvent(t *testing.T) {
	event := string(responses.Passed{}.Event(&dialect.Refusal{Status: 502, Code: "upstream_broke", Message: `It "broke".`}))
	want := "event: error\ndata: {\"type\":\"error\",\"code\":\"upstream_broke\",\"message\":\"It \\\"broke\\\".\",\"param\":null}\n\n"
	if event != want || strings.Count(event, "\n\n") != 1 {
		t.Errorf("%q", event)
	}
}
