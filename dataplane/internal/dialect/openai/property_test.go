package openai_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
)

// maker makes random parts of the model that chat completions have a place for.
type maker struct {
	*rand.Rand
	ids int
}

func (m *maker) flip() bool { return m.IntN(2) == 0 }

func (m *maker) text() string {
	letters := []string{"a", "β", "\"", "\\", "\n", "\x00", "<&>", "\u2028", "{", "😀", " ", "]", "data: "}
	text := "t"
	for range m.IntN(8) {
		text += letters[m.IntN(len(letters))]
	}
	return text
}

func (m *maker) some(of ...string) string {
	if m.flip() {
		return ""
	}
	return of[m.IntN(len(of))]
}

func (m *maker) optional() *bool {
	if m.flip() {
		return nil
	}
	return pointer(m.flip())
}

func (m *maker) texts(most int) (parts []chat.Part) {
	for range m.IntN(most + 1) {
		parts = append(parts, textPart(m.text()))
	}
	return parts
}

func (m *maker) media() chat.Part {
	media := &chat.Media{URL: "https://e.test/" + fmt.Sprint(m.IntN(9)), Detail: m.some("low", "high", "auto")}
	switch m.IntN(4) {
	case 0:
		return chat.Part{Kind: chat.Image, Media: media}
	case 1:
		return chat.Part{Kind: chat.Image, Media: &chat.Media{Type: "image/webp", Data: "AAAA"}}
	case 2:
		return chat.Part{Kind: chat.Audio, Media: &chat.Media{Type: "audio/mpeg", Data: "AA=="}}
	}
	return chat.Part{Kind: chat.Document, Media: &chat.Media{Type: "application/pdf", Data: "AAA=", Name: m.text()}}
}

// dialogue has users and assistants in turns, results for every call.
func (m *maker) dialogue() (messages []chat.Message) {
	var calls []*chat.ToolCall
	for range 1 + m.IntN(4) {
		user := chat.Message{}
		for _, call := range calls {
			user.Parts = append(user.Parts, resultPart(call.ID, call.Name, m.texts(1)...))
		}
		if len(calls) == 0 || m.flip() {
			user.Name = m.some("ada", "bob")
			user.Parts = append(append(user.Parts, textPart(m.text()), m.media()), m.texts(1)...)
		}
		assistant := chat.Message{Role: chat.Assistant, Name: m.some("eve"), Parts: m.texts(2)}
		if m.flip() {
			assistant.Parts = append(assistant.Parts, chat.Part{Kind: chat.Refusal, Text: m.text()})
		}
		calls = nil
		for range m.IntN(3) {
			m.ids++
			part := callPart(fmt.Sprint("c", m.ids), m.text(), `{"a": 1.50}`)
			calls, assistant.Parts = append(calls, part.Call), append(assistant.Parts, part)
		}
		messages = append(messages, user, assistant)
		if len(calls) == 0 && m.flip() {
			messages = append(messages, chat.Message{Role: chat.Instruction, Parts: []chat.Part{textPart(m.text())}})
		}
	}
	return messages
}

func (m *maker) request() *chat.Request {
	request := &chat.Request{
		Model: "m" + m.some("1"), Stream: m.flip(), System: m.texts(2), Messages: m.dialogue(), MaxOutput: m.Int64N(3), N: m.Int64N(3),
		Reasoning: chat.Reasoning{Effort: m.some("none", "minimal", "max")}, Logprobs: m.flip(), TopLogprobs: m.Int64N(3),
		Sampling: chat.Sampling{Temperature: m.some("0.0", "1e-2"), TopP: m.some("1"), PresencePenalty: m.some("-1.0"), FrequencyPenalty: m.some("2"), Seed: m.some("12345678901234567890")},
		User:     m.some("u"), ServiceTier: m.some("auto", "flex"),
	}
	if m.flip() {
		request.Stop = []string{m.text(), m.text()}
	}
	for range m.IntN(3) {
		request.Tools = append(request.Tools, chat.Tool{Name: m.text(), Description: m.some(m.text()), Schema: m.some(`{}`, `{"a":{"b":[1.0]}}`), Strict: m.optional()})
		request.ParallelTools = m.optional()
		request.ToolChoice = []chat.ToolChoice{{}, {Choose: chat.Auto}, {Choose: chat.Never}, {Choose: chat.Any}, {Choose: chat.Named, Name: "n"}}[m.IntN(5)]
	}
	if m.flip() {
		request.Format = chat.Format{Shape: chat.JSONSchema, Name: "n", Description: m.some("d"), Schema: `{"type":"object"}`, Strict: m.optional()}
	}
	return request
}

// TestRequestsComeThroughWhole: what a provider is sent, a surface reads as what it was.
func TestRequestsComeThroughWhole(t *testing.T) {
	for seed := range uint64(500) {
		m := &maker{Rand: rand.New(rand.NewPCG(seed, 1))}
		want := m.request()
		body, lossy, err := openai.NewProvider().Request(want)
		if err != nil || len(lossy) > 0 {
			t.Fatalf("seed %d: lossy %v, %v", seed, lossy, err)
		}
		got, fault := openai.NewSurface().Request(body)
		if fault != nil {
			t.Fatalf("seed %d: %v\n%s", seed, fault, body)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

func (m *maker) answer() *chat.Answer {
	answer := &chat.Answer{ID: m.text(), Model: m.text(), Created: time.Unix(m.Int64N(1<<31)+1, 0).UTC(), Usage: goldenUsage()}
	for range 1 + m.IntN(2) {
		choice := chat.Choice{Stop: chat.StopEnd, Parts: m.thoughts()}
		if m.flip() {
			choice.Parts = append(choice.Parts, textPart(m.text()))
		}
		if m.flip() {
			choice.Parts = append(choice.Parts, chat.Part{Kind: chat.Refusal, Text: m.text()})
		}
		for i := range m.IntN(3) {
			part := callPart(fmt.Sprint("c", i), m.text(), `{"a": 1}`)
			part.Signature = m.some("sig")
			choice.Parts, choice.Stop = append(choice.Parts, part), chat.StopTools
		}
		answer.Choices = append(answer.Choices, choice)
	}
	return answer
}

// thoughts are signed blocks, or else one text.
func (m *maker) thoughts() (parts []chat.Part) {
	for range m.IntN(3) {
		parts = append(parts, chat.Part{Kind: chat.Thinking, Text: m.some(m.text()), Signature: m.text()})
		if m.flip() {
			parts = append(parts, chat.Part{Kind: chat.Redacted, Data: m.text()})
		}
	}
	if len(parts) == 0 && m.flip() {
		parts = append(parts, chat.Part{Kind: chat.Thinking, Text: m.text()})
	}
	return parts
}

// TestAnswersComeThroughWhole: what a caller is sent, in one piece or in many, a provider
// reads as what it was.
func TestAnswersComeThroughWhole(t *testing.T) {
	for seed := range uint64(500) {
		m := &maker{Rand: rand.New(rand.NewPCG(seed, 2))}
		want := m.answer()
		body, lossy := openai.NewSurface().Answer(want)
		whole, err := openai.NewProvider().Answer(body)
		if err != nil || len(lossy) > 0 {
			t.Fatalf("seed %d: lossy %v, %v\n%s", seed, lossy, err, body)
		}
		surface := openai.NewSurface()
		if _, fault := surface.Request([]byte(with(`,"stream_options":{"include_usage":true}`))); fault != nil {
			t.Fatal(fault)
		}
		streamed := fold(t, followed(t, openai.NewProvider(), written(surface, events(want))))
		for _, got := range []*chat.Answer{whole, streamed} {
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Fatalf("seed %d: %s", seed, diff)
			}
		}
	}
}
