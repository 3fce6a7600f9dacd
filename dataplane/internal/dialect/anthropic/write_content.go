package anthropic

import (
	"encoding/base64"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// conversation writes system and messages. An instruction inside of the conversation
// stays there where the model takes it, after a user's turn; else it goes ahead.
func (q *request) conversation() {
	system := q.System
	stays := make([]bool, len(q.Messages))
	for i := range q.Messages {
		if q.Messages[i].Role != chat.Instruction {
			continue
		}
		stays[i] = q.generation.Instructs() && i > 0 && q.Messages[i-1].Role == chat.User
		if !stays[i] {
			q.lossy.Add("messages.role")
			system = append(system[:len(system):len(system)], q.Messages[i].Parts...)
		}
	}
	if len(system) > 0 {
		q.raw("system", "[")
		q.parts(system)
		q.close(']')
	}
	q.raw("messages", "[")
	for i := range q.Messages {
		if q.Messages[i].Role != chat.Instruction || stays[i] {
			q.message(&q.Messages[i])
		}
	}
	q.close(']')
}

var roleNames = map[chat.Role]string{chat.User: "user", chat.Assistant: "assistant", chat.Instruction: "system"}

// message writes a turn, unless there is nothing in it.
func (q *request) message(m *chat.Message) {
	if m.Name != "" {
		q.lossy.Add("messages.name")
	}
	from := len(q.b)
	q.open("{")
	q.text("role", roleNames[m.Role])
	q.raw("content", "[")
	empty := len(q.b)
	q.parts(m.Parts)
	if len(q.b) == empty {
		q.b = q.b[:from]
		return
	}
	q.b = append(q.b, "]}"...)
}

func (q *request) parts(parts []chat.Part) {
	for i := range parts {
		q.part(&parts[i])
	}
}

// part writes a block, unless it is an empty text, which the provider refuses.
func (q *request) part(p *chat.Part) {
	switch p.Kind {
	case chat.Refusal:
		q.lossy.Add("messages.refusal")
		q.textBlock(p)
	case chat.Text:
		q.textBlock(p)
	case chat.Thinking:
		q.thought(p)
	case chat.Redacted:
		q.block("redacted_thinking")
		q.text("data", p.Data)
		q.close('}')
	case chat.Image, chat.Document:
		q.media(p)
	case chat.Audio:
		q.lossy.Add("messages.audio")
	case chat.Call:
		q.call(p)
	case chat.Result:
		q.result(p)
	}
}

func (q *request) block(kind string) {
	q.open("{")
	q.text("type", kind)
}

func (q *request) textBlock(p *chat.Part) {
	if p.Text == "" {
		return
	}
	if p.Signature != "" {
		q.lossy.Add("messages.signature")
	}
	q.block("text")
	q.text("text", p.Text)
	q.end(p)
}

// end writes what every block but thinking can have.
func (q *request) end(p *chat.Part) {
	q.mark(p.Cache)
	q.close('}')
}

// thought writes thinking that this provider signed; other is of no use to it.
func (q *request) thought(p *chat.Part) {
	if p.Signature == "" {
		q.lossy.Add("messages.thinking")
		return
	}
	q.block("thinking")
	q.text("thinking", p.Text)
	q.text("signature", p.Signature)
	q.close('}')
}

func (q *request) media(p *chat.Part) {
	kind := "image"
	if p.Kind == chat.Document {
		kind = "document"
	}
	m := p.Media
	if m == nil {
		return
	}
	q.block(kind)
	q.source(m)
	if p.Kind == chat.Document && m.Name != "" {
		q.text("title", m.Name)
	}
	if m.Detail != "" && m.Detail != "auto" {
		q.lossy.Add("messages.detail")
	}
	q.end(p)
}

// source writes where media is. Text by value is written as text.
func (q *request) source(m *chat.Media) {
	q.raw("source", "{")
	plain, err := base64.StdEncoding.DecodeString(m.Data)
	switch {
	case m.Data == "":
		q.text("type", "url")
		q.text("url", m.URL)
	case strings.HasPrefix(m.Type, "text/") && err == nil:
		if m.Type != "text/plain" {
			q.lossy.Add("messages.media_type")
		}
		q.text("type", "text")
		q.text("media_type", "text/plain")
		q.text("data", string(plain))
	default:
		q.text("type", "base64")
		q.text("media_type", m.Type)
		q.text("data", m.Data)
	}
	q.close('}')
}

// call writes a tool call. Its input is an object here; arguments that are none are
// left out.
func (q *request) call(p *chat.Part) {
	call := p.Call
	if call == nil {
		return
	}
	if p.Signature != "" {
		q.lossy.Add("messages.signature")
	}
	arguments := call.Arguments
	if !isObject(arguments) {
		if arguments != "" {
			q.lossy.Add("messages.arguments")
		}
		arguments = "{}"
	}
	q.block("tool_use")
	q.text("id", callID(call.ID))
	q.text("name", call.Name)
	q.raw("input", arguments)
	q.end(p)
}

func isObject(text string) bool {
	var space [16]jsonscan.Field
	_, err := jsonscan.Fields(space[:0], []byte(text), nil)
	return err == nil
}

// callID is one with the characters that the provider takes: letters, digits, _ and -.
func callID(id string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
			return c
		}
		return '_'
	}, id)
}

func (q *request) result(p *chat.Part) {
	result := p.Result
	if result == nil {
		return
	}
	q.block("tool_result")
	q.text("tool_use_id", callID(result.CallID))
	q.raw("content", "[")
	q.parts(result.Parts)
	q.close(']')
	if result.Failed {
		q.raw("is_error", "true")
	}
	q.end(p)
}
