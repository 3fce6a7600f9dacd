package gemini_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// dice makes what the dialect has, at random.
type dice struct {
	*rand.Rand
	calls int
}

func pick[T any](d *dice, of ...T) T { return of[d.IntN(len(of))] }

func (d *dice) text() string {
	return pick(d, "a", "how high", `"quoted\`, "line\r\n\ttab\x01", "größe 水 😀", "<b>&", "data: x\n\n", `{"a":`) + fmt.Sprint(d.IntN(100))
}

func (d *dice) signature() string { return pick(d, "", "", "c2lnbmF0dXJl", "_-_-") }

func (d *dice) object() string {
	return pick(d, `{}`, `{"a": 1.50, "b":[{"c":null}]}`, `{"type":"object"}`, "{\n \"ü\": \"\\u00fc\"}")
}

func (d *dice) media() chat.Part {
	p := chat.Part{Kind: pick(d, chat.Image, chat.Document, chat.Audio)}
	kind := map[chat.Kind]string{chat.Image: "image/png", chat.Document: "application/pdf", chat.Audio: "audio/wav"}[p.Kind]
	p.Media = &chat.Media{Type: kind, Data: "aGk=", Name: pick(d, "", "level.bin")}
	if d.IntN(2) == 0 {
		p.Media.Data, p.Media.URL = "", "https://example.com/a?b=c"
	}
	if p.Kind == chat.Image {
		p.Media.Detail = pick(d, "", "low", "high")
	}
	return p
}

func (d *dice) call() chat.Part {
	d.calls++
	return chat.Part{Kind: chat.Call, Signature: d.signature(), Call: &chat.ToolCall{ID: fmt.Sprint("id", d.calls), Name: pick(d, "level", "flow"), Arguments: d.object()}}
}

func (d *dice) result(of *chat.ToolCall) chat.Part {
	result := &chat.ToolResult{CallID: of.ID, Name: of.Name, Failed: d.IntN(3) == 0}
	result.Parts = append(result.Parts, chat.Part{Text: pick(d, d.text(), d.object(), "", `{"output":"x"}`, `["a"]`, `"a"`)})
	for range d.IntN(2) {
		result.Parts = append(result.Parts, d.media())
	}
	return chat.Part{Kind: chat.Result, Result: result}
}

// turns alternate; each call is answered in the next turn.
func (d *dice) turns() (messages []chat.Message) {
	var called []*chat.ToolCall
	for range 1 + d.IntN(3) {
		user := chat.Message{Role: chat.User}
		for _, call := range called {
			user.Parts = append(user.Parts, d.result(call))
		}
		for range 1 + d.IntN(2) {
			user.Parts = append(user.Parts, pick(d, chat.Part{Text: d.text()}, d.media()))
		}
		assistant := chat.Message{Role: chat.Assistant, Parts: d.spoken()}
		called = nil
		for _, p := range assistant.Parts {
			if p.Kind == chat.Call {
				called = append(called, p.Call)
			}
		}
		messages = append(messages, user, assistant)
	}
	return messages[:len(messages)-1]
}

// spoken are a model's parts, no two texts in a row.
func (d *dice) spoken() (parts []chat.Part) {
	if d.IntN(2) == 0 {
		parts = append(parts, chat.Part{Kind: chat.Thinking, Text: d.text(), Signature: d.signature()})
	}
	parts = append(parts, chat.Part{Text: d.text(), Signature: d.signature()})
	for range d.IntN(3) {
		parts = append(parts, d.call())
	}
	return parts
}

func (d *dice) request() *chat.Request {
	r := &chat.Request{Model: "gemini-3-flash", Messages: d.turns()}
	for range d.IntN(3) {
		r.System = append(r.System, chat.Part{Text: d.text()})
	}
	for i := range d.IntN(3) {
		r.Tools = append(r.Tools, chat.Tool{Name: fmt.Sprint("t", i), Description: pick(d, "", d.text()), Schema: pick(d, "", d.object())})
	}
	if r.Tools != nil {
		r.ToolChoice = pick(d, chat.ToolChoice{}, chat.ToolChoice{Choose: chat.Auto}, chat.ToolChoice{Choose: chat.Never}, chat.ToolChoice{Choose: chat.Any}, chat.ToolChoice{Choose: chat.Named, Name: "t0"})
	}
	r.Format = pick(d, chat.Format{}, chat.Format{Shape: chat.JSONObject}, chat.Format{Shape: chat.JSONSchema, Schema: d.object()})
	r.Reasoning = pick(d, chat.Reasoning{}, chat.Reasoning{Summary: true}, chat.Reasoning{Budget: 128, Summary: true}, chat.Reasoning{Budget: chat.Unbounded},
		chat.Reasoning{Effort: pick(d, "minimal", "low", "medium", "high")})
	if d.IntN(4) == 0 {
		r.Model = "gemini-2.5-flash"
		r.Reasoning = chat.Reasoning{Effort: "none"}
		r.Messages = []chat.Message{{Parts: []chat.Part{{Text: d.text()}}}}
	}
	r.MaxOutput, r.N, r.Stop = d.Int64N(3), d.Int64N(3), pick(d, nil, []string{d.text(), "END"})
	if r.Logprobs = d.IntN(2) == 0; r.Logprobs {
		r.TopLogprobs = d.Int64N(5)
	}
	r.Sampling = chat.Sampling{Temperature: pick(d, "", "0.70"), TopP: pick(d, "", "1"), TopK: pick(d, "", "40"), PresencePenalty: pick(d, "", "-0.5"), FrequencyPenalty: pick(d, "", "1e-1"), Seed: pick(d, "", "-7")}
	r.ServiceTier = pick(d, "", "flex", "priority", "standard")
	r.Metadata = pick(d, nil, map[string]string{"team": "a", "env-1": ""})
	return r
}

func (d *dice) answer() *chat.Answer {
	a := &chat.Answer{ID: pick(d, "r", "r2"), Model: "m"}
	for range 1 + d.IntN(2) {
		choice := chat.Choice{Parts: d.spoken(), Stop: pick(d, chat.StopUnknown, chat.StopEnd, chat.StopLength, chat.StopFiltered)}
		if choice.Stop == chat.StopEnd && choice.Parts[len(choice.Parts)-1].Kind == chat.Call {
			choice.Stop = chat.StopTools
		}
		a.Choices = append(a.Choices, choice)
	}
	if d.IntN(3) > 0 {
		a.Usage = chat.Usage{ServiceTier: pick(d, "", "flex"), Tokens: &usagev1.TokenUsage{Input: d.Int64N(9), CacheRead: d.Int64N(9), InputAudio: d.Int64N(2), Output: d.Int64N(9), OutputAudio: d.Int64N(2), Reasoning: d.Int64N(9)}}
	}
	return a
}
