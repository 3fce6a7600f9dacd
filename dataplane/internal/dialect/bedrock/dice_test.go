package bedrock_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// dice makes what Converse has, at random.
type dice struct {
	*rand.Rand
	calls, files int
}

func pick[T any](d *dice, of ...T) T { return of[d.IntN(len(of))] }

func (d *dice) text() string {
	return pick(d, "a", "how high", `"quoted\`, "line\r\n\ttab\x01", "größe 水 😀", "<b>&", `{"a":`) + fmt.Sprint(d.IntN(100))
}

func (d *dice) object() string {
	return pick(d, `{}`, `{"a": 1.50, "b":[{"c":null}]}`, `{"type":"object"}`, "{\n \"ü\": \"\\u00fc\"}")
}

func (d *dice) media() chat.Part {
	p := chat.Part{Kind: pick(d, chat.Image, chat.Document, chat.Audio)}
	p.Media = &chat.Media{Type: map[chat.Kind]string{chat.Image: "image/webp", chat.Document: "text/markdown", chat.Audio: "audio/flac"}[p.Kind], Data: "aGk="}
	if d.IntN(4) == 0 {
		p.Media.Data, p.Media.URL = "", "s3://bucket/a"
	}
	if p.Kind == chat.Document {
		d.files++
		p.Media.Name = fmt.Sprint("level ", d.files)
	}
	return p
}

// marked has a mark now and then.
func (d *dice) marked(p chat.Part) chat.Part {
	if d.IntN(4) == 0 {
		p.Cache = &chat.CacheMark{TTL: pick(d, "", "5m", "1h")}
	}
	return p
}

func (d *dice) result(of *chat.ToolCall) chat.Part {
	result := &chat.ToolResult{CallID: of.ID, Failed: d.IntN(3) == 0}
	for range d.IntN(3) {
		result.Parts = append(result.Parts, chat.Part{Text: d.text()})
	}
	return chat.Part{Kind: chat.Result, Result: result}
}

// turns alternate; each call is answered in the next turn.
func (d *dice) turns() (messages []chat.Message) {
	var called []*chat.ToolCall
	for range 1 + d.IntN(3) {
		user := chat.Message{Role: chat.User}
		for _, call := range called {
			user.Parts = append(user.Parts, d.marked(d.result(call)))
		}
		for range 1 + d.IntN(2) {
			user.Parts = append(user.Parts, d.marked(pick(d, chat.Part{Text: d.text()}, d.media())))
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

func (d *dice) spoken() (parts []chat.Part) {
	if d.IntN(2) == 0 {
		parts = append(parts, chat.Part{Kind: chat.Thinking, Text: d.text(), Signature: pick(d, "c2ln", "a+/=")}, chat.Part{Kind: chat.Redacted, Data: "cmVkYWN0ZWQ="})
	}
	parts = append(parts, chat.Part{Text: d.text()})
	for range d.IntN(3) {
		d.calls++
		parts = append(parts, d.marked(chat.Part{Kind: chat.Call, Call: &chat.ToolCall{ID: fmt.Sprint("id-", d.calls), Name: pick(d, "level", "flow"), Arguments: d.object()}}))
	}
	return parts
}

// request is one of which nothing has to be left out.
func (d *dice) request() *chat.Request {
	r := &chat.Request{Model: sonnet, Messages: d.turns()}
	for range d.IntN(3) {
		r.System = append(r.System, d.marked(chat.Part{Text: d.text()}))
	}
	yes := true
	for i := range 1 + d.IntN(3) {
		tool := chat.Tool{Name: fmt.Sprint("t", i), Description: pick(d, "", d.text()), Schema: d.object(), Strict: pick(d, nil, &yes)}
		tool.Cache = d.marked(chat.Part{}).Cache
		r.Tools = append(r.Tools, tool)
	}
	r.ToolChoice = pick(d, chat.ToolChoice{}, chat.ToolChoice{Choose: chat.Auto}, chat.ToolChoice{Choose: chat.Any}, chat.ToolChoice{Choose: chat.Named, Name: "t0"})
	r.Format = pick(d, chat.Format{}, chat.Format{Shape: chat.JSONSchema, Name: pick(d, "", "n"), Schema: d.object(), Strict: &yes})
	r.MaxOutput, r.Stop = d.Int64N(3), pick(d, nil, []string{d.text(), "END"})
	r.Sampling = chat.Sampling{Temperature: pick(d, "", "0.70"), TopP: pick(d, "", "1"), TopK: pick(d, "", "40")}
	r.ServiceTier = pick(d, "", "flex", "priority", "default")
	r.Metadata = pick(d, nil, map[string]string{"team": "a", "env 1": ""})
	return r
}
