package anthropic_test

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// dice make random requests that have no more than this dialect has, for a model that
// takes all of it.
type dice struct{ *rand.Rand }

func (d dice) some() bool { return d.IntN(2) == 0 }

func (d dice) text() string {
	words := []string{"level", "\"q\"", "\\", "\n\t\r\b", "<&>", "é", "流", "\u2028", "\x00", "🌊", "</s>", " "}
	text := "t"
	for range d.IntN(5) {
		text += words[d.IntN(len(words))]
	}
	return text
}

func (d dice) maybe() string {
	if d.some() {
		return ""
	}
	return d.text()
}

func (d dice) json() string {
	objects := []string{`{}`, `{ "a" : 1.50 }`, `{"a":[null,true,{"b":"\u00e9\n"}],"n":1e400}`, `{"type":"object","properties":{"x":{"type":"string"}}}`}
	return objects[d.IntN(len(objects))]
}

func (d dice) mark() *chat.CacheMark {
	if d.some() {
		return nil
	}
	return &chat.CacheMark{TTL: []string{"", "5m", "1h"}[d.IntN(3)]}
}

func (d dice) flag() *bool {
	if d.some() {
		return nil
	}
	return ptr(d.some())
}

func (d dice) number() string { return []string{"", "0", "0.70", "1.0", "5e-1"}[d.IntN(5)] }

func (d dice) media(kind chat.Kind) chat.Part {
	part := chat.Part{Kind: kind, Cache: d.mark(), Media: &chat.Media{}}
	switch {
	case d.some():
		part.Media.URL = "https://example.com/" + strconv.Itoa(d.IntN(9))
	case kind == chat.Document && d.some():
		part.Media.Type, part.Media.Data = "text/plain", base64.StdEncoding.EncodeToString([]byte(d.text()))
	default:
		part.Media.Type, part.Media.Data = "image/png", "iVBORw0K"
	}
	if kind == chat.Document {
		part.Media.Name = d.maybe()
	}
	return part
}

func (d dice) plain() chat.Part { return chat.Part{Text: d.text(), Cache: d.mark()} }

func (d dice) said() chat.Part {
	switch d.IntN(4) {
	case 0:
		return d.media(chat.Image)
	case 1:
		return d.media(chat.Document)
	case 2:
		result := &chat.ToolResult{CallID: "t_" + strconv.Itoa(d.IntN(9)), Failed: d.some()}
		for range d.IntN(3) {
			result.Parts = append(result.Parts, d.plain())
		}
		return chat.Part{Kind: chat.Result, Result: result, Cache: d.mark()}
	}
	return d.plain()
}

func (d dice) answered() chat.Part {
	switch d.IntN(4) {
	case 0:
		return chat.Part{Kind: chat.Thinking, Text: d.maybe(), Signature: d.text()}
	case 1:
		return chat.Part{Kind: chat.Redacted, Data: d.text()}
	case 2:
		return chat.Part{Kind: chat.Call, Cache: d.mark(), Call: &chat.ToolCall{ID: "t-" + strconv.Itoa(d.IntN(9)), Name: d.text(), Arguments: d.json()}}
	}
	return d.plain()
}

func (d dice) turns() []chat.Message {
	var turns []chat.Message
	for range 1 + d.IntN(3) {
		turns = append(turns, chat.Message{Parts: []chat.Part{d.said(), d.said()}})
		if d.some() {
			turns = append(turns, chat.Message{Role: chat.Instruction, Parts: []chat.Part{d.plain()}})
		}
		turns = append(turns, chat.Message{Role: chat.Assistant, Parts: []chat.Part{d.answered(), d.answered()}})
	}
	return turns
}

func (d dice) request() *chat.Request {
	r := &chat.Request{
		Model: []string{"claude-opus-4-8", "some-alias"}[d.IntN(2)], Stream: d.some(), MaxOutput: 1 + d.Int64N(1e9),
		User: d.maybe(), ServiceTier: []string{"", "auto", "standard_only"}[d.IntN(3)], Messages: d.turns(),
	}
	if r.Model == "some-alias" { // it may be of any age: instructions go ahead
		for i := range r.Messages {
			r.Messages[i].Role = min(r.Messages[i].Role, chat.Assistant)
			r.Messages[i].Parts = r.Messages[i].Parts[:1]
		}
		r.Sampling = chat.Sampling{Temperature: d.number(), TopP: d.number(), TopK: d.number()}
	}
	for range d.IntN(3) {
		r.System = append(r.System, d.plain())
		r.Stop = append(r.Stop, d.text())
		r.Tools = append(r.Tools, chat.Tool{Name: "f" + strconv.Itoa(len(r.Tools)), Description: d.maybe(), Schema: d.json(), Strict: d.flag(), Cache: d.mark()})
	}
	d.choose(r)
	if d.some() {
		r.Format = chat.Format{Shape: chat.JSONSchema, Schema: d.json(), Strict: ptr(true)}
	}
	return r
}

// choose picks a tool choice, or else thinking: the two don't go together.
func (d dice) choose(r *chat.Request) {
	efforts := []string{"", "low", "medium", "high", "xhigh", "max"}
	switch {
	case len(r.Tools) > 0 && d.some():
		r.ToolChoice = []chat.ToolChoice{{Choose: chat.Auto}, {Choose: chat.Never}, {Choose: chat.Any}, {Choose: chat.Named, Name: "f0"}}[d.IntN(4)]
		if r.ToolChoice.Choose != chat.Never {
			r.ParallelTools = d.flag()
		}
	case r.Sampling == chat.Sampling{}:
		r.Reasoning = []chat.Reasoning{{}, {Effort: "none"}, {Budget: chat.Unbounded, Effort: efforts[d.IntN(6)], Summary: d.some()}}[d.IntN(3)]
	}
}

// TestRequestsKeepAll: written and read again a request is the same, and written again
// it is the same bytes.
func TestRequestsKeepAll(t *testing.T) {
	for seed := range uint64(2000) {
		want := dice{rand.New(rand.NewPCG(seed, 1))}.request()
		wire, lossy, _ := anthropic.NewProvider().Request(want)
		got, fault := anthropic.NewSurface().Request(wire)
		if fault != nil || len(lossy) > 0 {
			t.Fatalf("seed %d: lossy %v, %v in %s", seed, lossy, fault, wire)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
		if again, _, _ := anthropic.NewProvider().Request(got); !bytes.Equal(wire, again) {
			t.Fatalf("seed %d: %s became %s", seed, wire, again)
		}
	}
}

// TestAnswersKeepAll: the same of answers, whole and streamed.
func TestAnswersKeepAll(t *testing.T) {
	for seed := range uint64(500) {
		d := dice{rand.New(rand.NewPCG(seed, 2))}
		want := chat.Choice{Stop: chat.StopEnd + chat.Stop(d.IntN(6)), Sequence: d.maybe()}
		for range d.IntN(5) {
			part := d.answered()
			part.Cache = nil
			want.Parts = append(want.Parts, part)
		}
		body, lossy := anthropic.NewSurface().Answer(&chat.Answer{ID: "i", Choices: []chat.Choice{want}})
		got, err := anthropic.NewProvider().Answer(body)
		if err != nil || len(lossy) > 0 {
			t.Fatalf("seed %d: lossy %v, %v", seed, lossy, err)
		}
		if diff := cmp.Diff([]chat.Choice{want}, got.Choices); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
		if diff := cmp.Diff(want, streamed(t, want)); diff != "" {
			t.Fatalf("seed %d, streamed: %s", seed, diff)
		}
	}
}
