package llmtest_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/llmtest"
)

const converse = `{"messages":[{"role":"user","content":[{"text":"how high"}]}]}`

// askBedrock sends a body with an API key; signatures are the witness's matter.
func askBedrock(t *testing.T, mock *llmtest.Server, operation, body string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(http.MethodPost, "/model/anthropic.claude-sonnet-4-5%3A0/"+operation, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer k")
	answer := httptest.NewRecorder()
	mock.ServeHTTP(answer, request)
	return answer
}

func TestConverse(t *testing.T) {
	mock := llmtest.New(llmtest.Options{APIKey: "k", AnswerTokens: 2})
	answer := askBedrock(t, mock, "converse", converse)
	want := `{"metrics":{"latencyMs":7},"output":{"message":{"content":[{"text":"` + llmtest.Answer("how high", 0, 2) + `"}],"role":"assistant"}},` +
		`"stopReason":"end_turn","usage":{"cacheDetails":[],"cacheReadInputTokens":0,"cacheWriteInputTokens":0,"inputTokens":8,"outputTokens":2,"totalTokens":10}}`
	if answer.Code != http.StatusOK || answer.Body.String() != want {
		t.Errorf("%d %s, want %s", answer.Code, answer.Body, want)
	}
	if ledger := mock.Ledger(); ledger.Models["anthropic.claude-sonnet-4-5:0"].Completed != 1 || ledger.Total.Tokens != (llmtest.Tokens{Input: 8, Output: 2}) {
		t.Errorf("%+v", ledger)
	}
}

func TestConverseHoldsToTheRules(t *testing.T) {
	turn := func(content string) string { return `{"role":"user","content":[` + content + `]}` }
	hi := turn(`{"text":"hi"}`)
	call := `{"role":"assistant","content":[{"toolUse":{"toolUseId":"t","name":"level","input":{}}}]}`
	result := turn(`{"toolResult":{"toolUseId":"t","content":[{"json":{}}]}}`)
	tools := `,"toolConfig":{"tools":[{"toolSpec":{"name":"level","inputSchema":{"json":{}}}}]`
	for name, test := range map[string]struct{ body, want string }{
		"conversation":    {`{"messages":[` + hi + `,` + call + `,` + result + `]` + tools + `}}`, ""},
		"not_json":        {`{`, "not valid JSON"},
		"unknown_field":   {`{"model":"m","messages":[` + hi + `]}`, "extraneous key [model]"},
		"no_messages":     {`{}`, "at least one message"},
		"roles":           {`{"messages":[` + hi + `,` + hi + `]}`, "must alternate"},
		"assistant_first": {`{"messages":[` + call + `]}`, "must start with a user message"},
		"empty_content":   {`{"messages":[` + turn("") + `]}`, "is empty"},
		"blank_text":      {`{"messages":[` + turn(`{"text":" "}`) + `]}`, "is blank"},
		"two_members":     {`{"messages":[` + turn(`{"text":"a","cachePoint":{"type":"default"}}`) + `]}`, "exactly one"},
		"unknown_member":  {`{"messages":[` + turn(`{"refusal":"a"}`) + `]}`, "extraneous key [refusal]"},
		"image_format":    {`{"messages":[` + turn(`{"image":{"format":"jpg","source":{"bytes":"aGk="}}}`) + `]}`, "enum value set"},
		"image_url":       {`{"messages":[` + turn(`{"image":{"format":"png","source":{"url":"https://a"}}}`) + `]}`, "can't be read"},
		"document_name":   {`{"messages":[` + turn(`{"document":{"format":"pdf","name":"a.pdf","source":{"bytes":"aGk="}}}`) + `]}`, "alphanumeric"},
		"cache_ttl":       {`{"messages":[` + turn(`{"cachePoint":{"type":"default","ttl":"2h"}}`) + `]}`, "[5m, 1h]"},
		"signature":       {`{"messages":[` + hi + `,{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"a","signature":"b"}}}]}]}`, "Invalid `signature`"},
		"no_result":       {`{"messages":[` + hi + `,` + call + `]` + tools + `}}`, "without `tool_result`"},
		"unasked_result":  {`{"messages":[` + result + `]` + tools + `}}`, "exceeds the number"},
		"no_tool_config":  {`{"messages":[` + hi + `,` + call + `,` + result + `]}`, "toolConfig field must be defined"},
		"no_tools":        {`{"messages":[` + hi + `],"toolConfig":{"tools":[]}}`, "greater than or equal to 1"},
		"choice_none":     {`{"messages":[` + hi + `]` + tools + `,"toolChoice":{"none":{}}}}`, "[none]"},
		"choice_unknown":  {`{"messages":[` + hi + `]` + tools + `,"toolChoice":{"tool":{"name":"flow"}}}}`, "not in toolConfig"},
		"temperature":     {`{"messages":[` + hi + `],"inferenceConfig":{"temperature":1.5}}`, "between 0 and 1"},
		"max_tokens":      {`{"messages":[` + hi + `],"inferenceConfig":{"maxTokens":0}}`, "greater than or equal to 1"},
		"schema":          {`{"messages":[` + hi + `],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":{}}}}}}`, "not valid"},
		"service_tier":    {`{"messages":[` + hi + `],"serviceTier":{"type":"auto"}}`, "enum value set"},
		"thinking_forced": {`{"messages":[` + hi + `]` + tools + `,"toolChoice":{"any":{}}},"additionalModelRequestFields":{"thinking":{"type":"adaptive"}}}`, "Thinking may not"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := askBedrock(t, llmtest.New(llmtest.Options{APIKey: "k"}), "converse", test.body)
			if test.want == "" && answer.Code == http.StatusOK {
				return
			}
			if answer.Code != http.StatusBadRequest || test.want == "" || !strings.Contains(answer.Body.String(), test.want) ||
				!strings.HasPrefix(answer.Header().Get("X-Amzn-Errortype"), "ValidationException:") {
				t.Errorf("%d %s %s", answer.Code, answer.Header().Get("X-Amzn-Errortype"), answer.Body)
			}
		})
	}
}

// TestConverseStreamFaults: what is cut is cut inside of an event, and what was generated
// is charged.
func TestConverseStreamFaults(t *testing.T) {
	whole := askBedrock(t, llmtest.New(llmtest.Options{APIKey: "k", AnswerTokens: 4}), "converse-stream", converse).Body.Bytes()
	for name, test := range map[string]struct {
		fault llmtest.Fault
		check func(sent []byte) bool
	}{
		"cut": {llmtest.Fault{Kind: llmtest.Cut, After: 3}, func(sent []byte) bool { return len(sent) < len(whole) && bytes.HasPrefix(whole, sent) }},
		"no_done": {llmtest.Fault{Kind: llmtest.NoDone}, func(sent []byte) bool {
			return !bytes.Contains(sent, []byte("messageStop")) && bytes.HasPrefix(whole, sent)
		}},
		"no_usage": {llmtest.Fault{Kind: llmtest.NoUsage}, func(sent []byte) bool { return bytes.Contains(sent, []byte(`{"metrics":{"latencyMs":7},"p"`)) }},
		"huge":     {llmtest.Fault{Kind: llmtest.Huge, After: 2, Size: 9999}, func(sent []byte) bool { return bytes.Contains(sent, bytes.Repeat([]byte("x"), 9999)) }},
	} {
		t.Run(name, func(t *testing.T) {
			mock := llmtest.New(llmtest.Options{APIKey: "k", AnswerTokens: 4})
			mock.Script(test.fault)
			server := httptest.NewServer(mock)
			defer server.Close()
			request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/model/anthropic.claude-sonnet-4-5:0/converse-stream", strings.NewReader(converse))
			request.Header.Set("Authorization", "Bearer k")
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			sent, err := io.ReadAll(answer.Body)
			if kind := answer.Header.Get("Content-Type"); kind != "application/vnd.amazon.eventstream" || (err != nil) != (name == "cut") || !test.check(sent) {
				t.Errorf("%s, %v: %q", kind, err, sent)
			}
			if tokens := mock.Ledger().Total.Tokens; tokens.Input != 8 || tokens.Output == 0 {
				t.Errorf("%+v", tokens)
			}
		})
	}
}
