package bedrock_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/bedrock"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// FuzzRequest: whatever texts a conversation has, a body is JSON with them in it.
func FuzzRequest(f *testing.F) {
	f.Add(uint64(1), "a\xff\x00", `{"a":1}`, "image/png", "https://a/b.PNG")
	f.Add(uint64(2), "", `{"a`, "text/x; y", "s3://b/c.pdf")
	f.Fuzz(func(t *testing.T, seed uint64, text, object, kind, location string) {
		r := (&dice{Rand: rand.New(rand.NewPCG(seed, 3))}).request()
		r.Model = pick(&dice{Rand: rand.New(rand.NewPCG(seed, 4))}, sonnet, opus, haiku, novaLite, novaTwo, llama, oss, profile, text)
		r.System = append(r.System, chat.Part{Text: text})
		r.Metadata = map[string]string{text: object}
		r.Reasoning.Effort, r.ServiceTier, r.Sampling.Temperature = text, kind, ""
		r.Messages = append(r.Messages, chat.Message{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Call, Call: &chat.ToolCall{ID: text, Name: text, Arguments: object}}, {Kind: chat.Redacted, Data: kind},
			{Kind: chat.Document, Media: &chat.Media{Type: kind, Name: text, Data: location}}, {Kind: chat.Image, Media: &chat.Media{Type: kind, URL: location}}}})
		body, _, err := bedrock.NewProvider().Request(r)
		if err != nil {
			return
		}
		if !json.Valid(body) {
			t.Fatalf("not JSON: %q", body)
		}
		quoted, _ := json.Marshal(strings.ToValidUTF8(text, ""))
		if text != "" && strings.ToValidUTF8(text, "") == text && !bytes.ContainsAny(quoted, `\`) && !bytes.Contains(body, []byte(text)) {
			t.Fatalf("%q is not in %q", text, body)
		}
	})
}

// FuzzEvents: any two events give steps that are in order, or an error.
func FuzzEvents(f *testing.F) {
	f.Add("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"a"}}`, "contentBlockStop", `{}`)
	f.Add("contentBlockStart", `{"start":{"toolUse":{"toolUseId":"t","name":"f"}}}`, "contentBlockDelta", `{"delta":{"toolUse":{"input":"{}"}}}`)
	f.Add("contentBlockDelta", `{"delta":{"reasoningContent":{"redactedContent":"a"}}}`, "messageStop", `{"stopReason":"end_turn"}`)
	f.Add("messageStop", `{}`, "metadata", `{"usage":{"inputTokens":1,"outputTokens":2}}`)
	f.Add("!x", "\xff", "!", `{"message":"m"}`)
	f.Fuzz(func(t *testing.T, name, data, next, more string) {
		provider := bedrock.NewProvider()
		events, _, _ := provider.Events(nil, []byte("messageStart"), []byte(`{}`))
		done := false
		for _, event := range [][2]string{{name, data}, {next, more}, {"metadata", "{}"}} {
			var err error
			events, done, err = provider.Events(events, []byte(event[0]), []byte(event[1]))
			if err != nil && done {
				t.Fatal("done and broken")
			}
		}
		open, ended := -1, false
		for _, e := range events {
			switch {
			case e.Open != nil && (open >= 0 || ended), e.Delta != nil && e.Delta.Index != open, e.Close != nil && e.Close.Index != open, e.End != nil && (open >= 0 || ended):
				t.Fatalf("out of order: %s", brief(events))
			case e.Open != nil:
				open = e.Open.Index
			case e.Close != nil:
				open = -1
			case e.End != nil:
				ended = true
			}
		}
		if done && !ended {
			t.Fatalf("done without an end: %s", brief(events))
		}
	})
}

// FuzzAnswer: nothing is invented, and a failure has its status and a message.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"output":{"message":{"content":[{"text":"a"},{"toolUse":{"toolUseId":"t","name":"f","input":{}}}]}},"usage":` + usageObject + `}`))
	f.Add([]byte(`{"message":"m","__type":"a#B:c"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if failure := bedrock.NewProvider().Failure(500, body); failure.Status != 500 || failure.Message == "" {
			t.Fatalf("%+v", failure)
		}
		answer, err := bedrock.NewProvider().Answer(body)
		if err != nil {
			return
		}
		for _, part := range answer.Choices[0].Parts {
			if part.Call != nil && part.Call.Arguments != "" && !json.Valid([]byte(part.Call.Arguments)) {
				t.Fatalf("%q", part.Call.Arguments)
			}
		}
		if tokens := answer.Usage.Tokens; tokens != nil && min(tokens.Input, tokens.Output, tokens.CacheRead, tokens.CacheWrite_5M, tokens.CacheWrite_1H) < 0 {
			t.Fatalf("%+v", tokens)
		}
	})
}
