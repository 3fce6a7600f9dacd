package openai_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
)

// chunk is one of a stream, in short.
func chunk(choices string) string {
	return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[` + choices + "]}\n\n"
}

// streamGolden has what a stream of chunks has, after the API reference.
func streamGolden() string {
	return chunk(`{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}`) +
		": comment\n\n" +
		chunk(`{"index":0,"delta":{"reasoning_content":"Lo"},"finish_reason":null}`) +
		chunk(`{"index":0,"delta":{"reasoning_content":"ok.","content":null},"finish_reason":null}`) +
		chunk(`{"index":0,"delta":{"thinking_blocks":[{"type":"thinking","thinking":"Look.","signature":"EqoB"}]},"finish_reason":null}`) +
		chunk(`{"index":0,"delta":{"content":"7"},"logprobs":`+logprobsGolden+`,"finish_reason":null}`) +
		chunk(`{"index":1,"delta":{"role":"assistant","content":""},"finish_reason":null},{"index":1,"delta":{"refusal":"No."},"finish_reason":null}`) +
		chunk(`{"index":0,"delta":{"content":" m"},"finish_reason":null}`) +
		chunk(`{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"level","arguments":""}}]},"finish_reason":null}`) +
		chunk(`{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]},"finish_reason":null}`) +
		chunk(`{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]},"finish_reason":null}`) +
		chunk(`{"index":0,"delta":{"tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"flow","arguments":"{}"}}]},"finish_reason":null}`) +
		chunk(`{"index":1,"delta":{},"finish_reason":"content_filter"}`) +
		chunk(`{"index":0,"delta":{},"finish_reason":"tool_calls"}`) +
		`data: {"id":"chatcmpl-1","choices":[],"service_tier":"default","usage":` + usageGolden + "}\n\n" +
		"data: [DONE]\n\n"
}

func TestProviderFollowsAStream(t *testing.T) {
	want := goldenAnswer()
	want.Model = "m"
	first := &want.Choices[0]
	first.Parts = append(first.Parts[:1:1], textPart("7 m"), callPart("c1", "level", `{"a":1}`), callPart("c2", "flow", "{}"))
	got := fold(t, followed(t, openai.NewProvider(), []byte(streamGolden())))
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestProviderFollowsOtherFormsOfAStream(t *testing.T) {
	for name, test := range map[string]struct {
		chunks []string
		want   []chat.Choice
	}{
		"all_at_once": {[]string{`{"index":0,"delta":{"role":"assistant","content":"a","tool_calls":[{"id":"x","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}`},
			[]chat.Choice{{Stop: chat.StopTools, Parts: []chat.Part{textPart("a"), callPart("x", "f", "{}")}}}},
		"calls_of_one_index": {[]string{`{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}]}}`, `{"index":0,"delta":{"tool_calls":[{"index":0,"id":"y","function":{"name":"f","arguments":"{}"}}]}}`},
			[]chat.Choice{{Parts: []chat.Part{callPart("x", "f", "{}"), callPart("y", "f", "{}")}}}},
		"name_repeated": {[]string{`{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{"}}]}}`, `{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"}"}}]}}`},
			[]chat.Choice{{Parts: []chat.Part{callPart("x", "f", "{}")}}}},
		"text_between": {[]string{`{"index":0,"delta":{"content":"a"}}`, `{"index":0,"delta":{"reasoning":"r"}}`, `{"index":0,"delta":{"content":"b"},"finish_reason":"length"}`},
			[]chat.Choice{{Stop: chat.StopLength, Parts: []chat.Part{textPart("a"), {Kind: chat.Thinking, Text: "r"}, textPart("b")}}}},
		"blocks_alone": {[]string{`{"index":0,"delta":{"thinking_blocks":[{"type":"thinking","thinking":"r","signature":"s"},{"type":"redacted_thinking","data":"d"}]},"finish_reason":"stop"}`},
			[]chat.Choice{{Stop: chat.StopEnd, Parts: []chat.Part{{Kind: chat.Thinking, Text: "r", Signature: "s"}, {Kind: chat.Redacted, Data: "d"}}}}},
		"blocks_in_pieces": {[]string{`{"index":0,"delta":{"thinking_blocks":[{"type":"thinking","thinking":"a"}]}}`, `{"index":0,"delta":{"thinking_blocks":[{"type":"thinking","thinking":"b"}]}}`, `{"index":0,"delta":{"thinking_blocks":[{"type":"thinking","signature":"s"}]}}`},
			[]chat.Choice{{Parts: []chat.Part{{Kind: chat.Thinking, Text: "ab", Signature: "s"}}}}},
		"blocks_beside": {[]string{`{"index":0,"delta":{"reasoning_content":"a","thinking_blocks":[{"type":"thinking","thinking":"a"}]}}`, `{"index":0,"delta":{"reasoning_content":"b","thinking_blocks":[{"type":"thinking","thinking":"b"}]}}`, `{"index":0,"delta":{"reasoning_content":"","thinking_blocks":[{"type":"thinking","thinking":"","signature":"s"}]}}`},
			[]chat.Choice{{Parts: []chat.Part{{Kind: chat.Thinking, Text: "ab", Signature: "s"}}}}},
		"logprobs_once": {[]string{`{"index":0,"delta":{"content":"a","refusal":"b"},"logprobs":{"content":[]}}`},
			[]chat.Choice{{Logprobs: `{"content":[]}`, Parts: []chat.Part{textPart("a"), {Kind: chat.Refusal, Text: "b"}}}}},
		"unfinished": {[]string{`{"index":0,"delta":{"content":"a"}}`}, []chat.Choice{{Parts: []chat.Part{textPart("a")}}}},
	} {
		t.Run(name, func(t *testing.T) {
			stream := ""
			for _, choices := range test.chunks {
				stream += chunk(choices)
			}
			list := followed(t, openai.NewProvider(), []byte(stream+"data: [DONE]\n\n"))
			if diff := cmp.Diff(test.want, fold(t, list).Choices); diff != "" {
				t.Error(diff)
			}
			if list[len(list)-1].End == nil {
				t.Error("the choice has no end")
			}
		})
	}
}

func TestStreamsThatAreBroken(t *testing.T) {
	for name, chunks := range map[string][]string{
		"no_json":      {`{`},
		"wrong_type":   {`{"choices":[{"delta":{"content":7}}]}`},
		"choice_index": {`{"choices":[{"index":128,"delta":{"content":"a"}}]}`},
		"below_zero":   {`{"choices":[{"index":-1,"delta":{"content":"a"}}]}`},
		"after_end":    {`{"choices":[{"delta":{},"finish_reason":"stop"}]}`, `{"choices":[{"delta":{"content":"a"}}]}`},
		"older_call":   {`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}},{"index":1,"id":"b","function":{"name":"f"}}]}}]}`, `{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			provider := openai.NewProvider()
			var err error
			for _, data := range chunks {
				if err != nil {
					t.Fatal("broken too early:", err)
				}
				_, _, err = provider.Events(nil, nil, []byte(data))
			}
			if err == nil {
				t.Error("it was taken")
			}
		})
	}
}

func TestAStreamEndsWithItsFailure(t *testing.T) {
	for data, want := range map[string]chat.Failure{
		`{"error":{"message":"Slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}`: {Status: 429, Type: "requests", Code: "rate_limit_exceeded", Message: "Slow down"},
		`{"error":{"message":"Oh","code":503}}`:                                                         {Status: 503, Code: "503", Message: "Oh"},
		`{"error":"Oh"}`:                                                                                {Status: 500, Message: "Oh"},
		`{"error":{}}`:                                                                                  {Status: 500, Message: "The provider ended the stream with an error."},
	} {
		list, done, err := openai.NewProvider().Events(nil, nil, []byte(data))
		if err != nil || !done || len(list) != 1 || list[0].Failure == nil || *list[0].Failure != want {
			t.Errorf("%s: %v, %v, %+v", data, done, err, list)
		}
	}
}

func TestSurfaceWritesAStream(t *testing.T) {
	surface := openai.NewSurface()
	if _, fault := surface.Request([]byte(with(`,"stream":true,"stream_options":{"include_usage":true}`))); fault != nil {
		t.Fatal(fault)
	}
	answer := &chat.Answer{ID: `i"`, Model: "m", Created: time.Unix(5, 0), Usage: goldenUsage(), Choices: []chat.Choice{{Stop: chat.StopTools, Parts: []chat.Part{
		{Kind: chat.Thinking, Text: "Oh"}, {Kind: chat.Thinking, Text: "Hm", Signature: "s"}, textPart("7\n"), callPart("c1", "f", `{"`), callPart("c2", "g", "")}}}}
	head := `data: {"id":"i\"","object":"chat.completion.chunk","created":5,"model":"m","choices":[`
	want := ""
	for i, delta := range []string{
		`"role":"assistant","content":"","refusal":null`, "",
		`"reasoning_content":"Oh"`, `"reasoning_content":"Hm"`, `"thinking_blocks":[{"type":"thinking","thinking":"Hm","signature":"s"}]`, `"content":"7\n"`,
		`"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]`, `"tool_calls":[{"index":0,"function":{"arguments":"{\""}}]`,
		`"tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":""}}]`, `"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]`,
	} {
		if i == 1 {
			want += ": ping\n\n"
		} else {
			want += head + `{"index":0,"delta":{` + delta + `},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n"
		}
	}
	want += head + `{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}],"usage":null}` + "\n\n" +
		head + `],"usage":` + usageGolden + `,"service_tier":"default"}` + "\n\ndata: [DONE]\n\n"
	if diff := cmp.Diff(strings.Split(want, "\n\n"), strings.Split(string(written(surface, events(answer))), "\n\n")); diff != "" {
		t.Error(diff)
	}
}

func TestUsageOfAStreamIsForThoseWhoAsk(t *testing.T) {
	answer := goldenAnswer()
	if stream := string(written(openai.NewSurface(), events(answer))); strings.Contains(stream, "usage") || !strings.HasSuffix(stream, "data: [DONE]\n\n") {
		t.Error(stream)
	}
}

func TestAFailedStreamHasNoEndMark(t *testing.T) {
	failure := &chat.Failure{Status: 529, Type: "overloaded_error", Message: "Busy <&>"}
	got := string(written(openai.NewSurface(), []chat.Event{{Failure: failure}}))
	if want := `data: {"error":{"message":"Busy <&>","type":"server_error","param":null,"code":"overloaded_error"}}` + "\n\n"; got != want {
		t.Error(got)
	}
}

func TestFailures(t *testing.T) {
	for body, want := range map[string]chat.Failure{
		`{"error":{"message":"No such model","type":"invalid_request_error","param":"model","code":"model_not_found"}}`: {Type: "invalid_request_error", Param: "model", Code: "model_not_found", Message: "No such model"},
		`{"object":"error","message":"Too long","type":"BadRequestError","param":null,"code":400}`:                      {Type: "BadRequestError", Code: "400", Message: "Too long"},
		`{"error":"model not found"}`: {Message: "model not found"},
		`<html>SECRET</html>`:         {Message: "The provider answered with status 404."},
		``:                            {Message: "The provider answered with status 404."},
		`{"error":{"message":null}}`:  {Message: "The provider answered with status 404."},
	} {
		want.Status = 404
		if got := openai.NewProvider().Failure(404, []byte(body)); *got != want {
			t.Errorf("%s: %+v", body, got)
		}
	}
}

func TestSurfaceWritesFailures(t *testing.T) {
	for want, failure := range map[string]chat.Failure{
		`{"error":{"message":"m","type":"invalid_request_error","param":"p","code":"c"}}`:              {Status: 400, Type: "t", Code: "c", Param: "p", Message: "m"},
		`{"error":{"message":"m","type":"authentication_error","param":null,"code":"upstream_error"}}`: {Status: 401, Message: "m"},
		`{"error":{"message":"m","type":"permission_error","param":null,"code":"upstream_error"}}`:     {Status: 403, Message: "m"},
		`{"error":{"message":"m","type":"rate_limit_error","param":null,"code":"RESOURCE"}}`:           {Status: 429, Type: "RESOURCE", Message: "m"},
		`{"error":{"message":"m","type":"server_error","param":null,"code":"upstream_error"}}`:         {Status: 500, Message: "m"},
	} {
		if got := string(openai.NewSurface().Failure(&failure)); got != want+"\n" {
			t.Error(got)
		}
	}
}
