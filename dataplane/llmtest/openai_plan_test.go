package llmtest_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"

	"github.com/weirhq/weir/dataplane/llmtest"
)

const (
	levelFunction = `{"type":"function","function":{"name":"level","parameters":{"type":"object","properties":{"gauge":{"type":"string"},"marks":{"type":"array","items":{"type":"integer"}}}}}}`
	flowFunction  = `{"type":"function","function":{"name":"flow","parameters":{"type":"object","properties":{}}}}`
	bothFunctions = `"tools":[` + levelFunction + `,` + flowFunction + `]`
	levelCall     = `level({"gauge":"the weir","marks":[7]})`
)

// told is what a choice says: of calls the names and arguments.
type told struct {
	Content, Refusal, Finish string
	Calls                    []string
}

func toldBy(choice openai.ChatCompletionChoice) told {
	t := told{Content: choice.Message.Content, Refusal: choice.Message.Refusal, Finish: choice.FinishReason}
	for _, call := range choice.Message.ToolCalls {
		t.Calls = append(t.Calls, call.Function.Name+"("+call.Function.Arguments+")")
	}
	return t
}

// chats asks for both kinds of answers and wants the same of them.
func chats(t *testing.T, options llmtest.Options, user, extra string, want told) openai.ChatCompletion {
	t.Helper()
	body := `{"model":"m","messages":[{"role":"user","content":"` + user + `"}]`
	if extra != "" {
		body += "," + extra
	}
	mock, server := start(t, options)
	var whole openai.ChatCompletion
	text, _ := io.ReadAll(post(t, server, body+"}", nil).Body)
	if err := json.Unmarshal(text, &whole); err != nil || len(whole.Choices) == 0 {
		t.Fatal(string(text))
	}
	if diff := cmp.Diff(want, toldBy(whole.Choices[0])); diff != "" {
		t.Error(diff)
	}
	served := mock.Ledger().Total.Tokens
	if served.Output+served.Reasoning != whole.Usage.CompletionTokens {
		t.Errorf("the ledger counts %+v, the answer %s", served, whole.Usage.RawJSON())
	}
	mock.Reset()
	data, err := events(t, post(t, server, body+`,"stream":true,"stream_options":{"include_usage":true}}`, nil).Body)
	var all openai.ChatCompletionAccumulator
	for _, event := range data[:len(data)-1] {
		var chunk openai.ChatCompletionChunk
		if json.Unmarshal([]byte(event), &chunk) != nil || !all.AddChunk(chunk) {
			t.Fatal(event)
		}
	}
	if diff := cmp.Diff(want, toldBy(all.Choices[0])); diff != "" || err != nil || all.Usage.CompletionTokens != whole.Usage.CompletionTokens {
		t.Errorf("streamed, %v: %s\nusage %s, whole %s", err, diff, all.Usage.RawJSON(), whole.Usage.RawJSON())
	}
	if again := mock.Ledger().Total.Tokens; again != served {
		t.Errorf("the ledger counts %+v of a stream, %+v whole", again, served)
	}
	return whole
}

func TestChatKinds(t *testing.T) {
	said := strings.Fields(llmtest.Answer("hello level flow", 0, 20))
	for name, test := range map[string]struct {
		extra string
		want  told
	}{
		"one_tool":        {`"tools":[` + levelFunction + `]`, told{Finish: "tool_calls", Calls: []string{levelCall}}},
		"parallel":        {bothFunctions, told{Finish: "tool_calls", Calls: []string{levelCall, "flow({})"}}},
		"not_parallel":    {bothFunctions + `,"parallel_tool_calls":false`, told{Finish: "tool_calls", Calls: []string{levelCall}}},
		"required":        {bothFunctions + `,"tool_choice":"required"`, told{Finish: "tool_calls", Calls: []string{levelCall}}},
		"named":           {bothFunctions + `,"tool_choice":{"type":"function","function":{"name":"flow"}}`, told{Finish: "stop", Calls: []string{"flow({})"}}},
		"no_tool":         {bothFunctions + `,"tool_choice":"none","max_tokens":2`, told{Content: strings.Join(said[:2], " "), Finish: "length"}},
		"cut_off":         {bothFunctions + `,"max_tokens":2`, told{Finish: "length", Calls: []string{`level({"gauge":"the we)`}}},
		"json":            {`"response_format":{"type":"json_object"}`, told{Content: `{"answer":"` + strings.Join(said, " ") + `"}`, Finish: "stop"}},
		"schema":          {`"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"properties":{"a":{"type":"number"}}}}}`, told{Content: `{"a":7.5}`, Finish: "stop"}},
		"stop":            {`"stop":["zzz"," ` + said[2] + `"]`, told{Content: said[0] + " " + said[1], Finish: "stop"}},
		"stop_is_a_text":  {`"stop":" ` + said[1] + `"`, told{Content: said[0], Finish: "stop"}},
		"stop_in_choices": {`"n":2,"stop":" ` + said[1] + `"`, told{Content: said[0], Finish: "stop"}},
	} {
		t.Run(name, func(t *testing.T) { chats(t, llmtest.Options{}, "hello level flow", test.extra, test.want) })
	}
	const magic = "OPENAI_MAGIC_STRING_TRIGGER_REFUSAL"
	chats(t, llmtest.Options{AnswerTokens: 2}, magic, "", told{Refusal: llmtest.Answer(magic, 0, 2), Finish: "stop"})
}

func TestChatReasoning(t *testing.T) {
	answer := chats(t, llmtest.Options{AnswerTokens: 3}, "hello", `"model":"deepseek-r1","reasoning_effort":"low"`, told{Content: llmtest.Answer("hello", 0, 3), Finish: "stop"})
	if got := answer.Choices[0].Message.RawJSON(); !strings.Contains(got, `"reasoning_content":"`+llmtest.Answer("thinking about hello", 0, 4)+`"`) {
		t.Error(got)
	}
	answer = chats(t, llmtest.Options{AnswerTokens: 3}, "hello", `"reasoning_effort":"low"`, told{Content: llmtest.Answer("hello", 0, 3), Finish: "stop"})
	if got := answer.Choices[0].Message.RawJSON(); strings.Contains(got, "reasoning") || answer.Usage.CompletionTokensDetails.ReasoningTokens != 4 {
		t.Error(got, answer.Usage.RawJSON())
	}
}

// TestChatTurns: calls are answered, all and at once.
func TestChatTurns(t *testing.T) {
	const call = `{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"level","arguments":"{}"}}]}`
	const result = `{"role":"tool","tool_call_id":"c1","content":"7.5"}`
	user := func(text string) string { return `{"role":"user","content":` + text + `}` }
	_, server := start(t, llmtest.Options{})
	for name, test := range map[string]struct{ messages, extra, want string }{
		"answered":            {user(`"level"`) + "," + call + "," + result, bothFunctions, `"finish_reason":"stop"`},
		"unanswered":          {user(`"level"`) + "," + call, "", `did not have response messages: c1`},
		"answered_by_another": {user(`"level"`) + "," + call + "," + user(`"so?"`), "", `did not have response messages: c1`},
		"unasked":             {user(`"level"`) + "," + result, "", `must be a response`},
		"image":               {user(`[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]`), "", `"prompt_tokens":16,`},
		"unknown_part":        {user(`[{"type":"image"}]`), "", `Invalid value: 'image'`},
		"unknown_role":        {`{"role":"model","content":"x"}`, "", `Invalid value: 'model'`},
		"nothing_said":        {`{"role":"assistant","content":null},` + user(`"x"`), "", `expected a string`},
		"choice_without_tool": {user(`"x"`), `"tool_choice":"auto"`, `only allowed when 'tools'`},
		"unnamed_schema":      {user(`"x"`), `"response_format":{"type":"json_schema","json_schema":{"schema":{}}}`, `Missing required parameter`},
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"model":"m","messages":[` + test.messages + `]`
			if test.extra != "" {
				body += "," + test.extra
			}
			text, err := io.ReadAll(post(t, server, body+"}", nil).Body)
			if err != nil || !strings.Contains(string(text), test.want) {
				t.Errorf("%v %s, want %s", err, text, test.want)
			}
		})
	}
}
