package bedrock

import (
	"encoding/base64"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// conversation writes system and messages. Turns have to alternate here: those of one role
// that follow each other are one. An instruction inside of the conversation goes ahead.
func (w *writer) conversation() {
	start := len(w.B)
	w.Open("system", '[')
	empty := len(w.B)
	w.instructions(w.request.System)
	for i := range w.request.Messages {
		if m := &w.request.Messages[i]; m.Role == chat.Instruction {
			w.lossy.Add("messages.role")
			w.instructions(m.Parts)
		}
	}
	if len(w.B) == empty {
		w.B = w.B[:start]
	} else {
		w.End("]")
	}
	w.Open("messages", '[')
	for i := range w.request.Messages {
		m := &w.request.Messages[i]
		w.leave("messages.name", m.Name)
		if m.Role != chat.Instruction {
			w.turn(m)
		}
	}
	if w.role == noRole {
		w.refuse("messages", "They are empty: a text, a file or the result of a tool is wanted.")
	} else {
		w.End("]}")
	}
	w.End("]")
}

func (w *writer) instructions(parts []chat.Part) {
	for i := range parts {
		if p := &parts[i]; p.Text != "" {
			w.text(p)
			w.mark("system.cache", p.Cache)
		}
	}
}

// turn writes a message's parts. A turn that would have none is not begun: Bedrock refuses
// it.
func (w *writer) turn(m *chat.Message) {
	for i := range m.Parts {
		before, role := len(w.B), w.role
		w.enter(m.Role)
		empty := len(w.B)
		w.part(&m.Parts[i])
		if len(w.B) == empty {
			w.B, w.role = w.B[:before], role
		} else {
			w.mark("messages.cache", m.Parts[i].Cache)
		}
	}
}

var roleNames = map[chat.Role]string{chat.User: "user", chat.Assistant: "assistant"}

func (w *writer) enter(role chat.Role) {
	if role == w.role {
		return
	}
	if w.role != noRole {
		w.End("]}")
	}
	w.role = role
	w.Item('{')
	w.Text("role", roleNames[role])
	w.Open("content", '[')
}

// part writes a block, unless it is an empty text, which Bedrock refuses.
func (w *writer) part(p *chat.Part) {
	switch p.Kind {
	case chat.Text, chat.Refusal:
		if p.Kind == chat.Refusal {
			w.lossy.Add("messages.refusal") // it goes as text
		}
		w.leave("messages.signature", p.Signature)
		if p.Text != "" {
			w.text(p)
		}
	case chat.Image, chat.Document, chat.Audio:
		w.media(p)
	case chat.Call:
		w.leave("messages.signature", p.Signature)
		w.call(p.Call)
	case chat.Result:
		w.result(p.Result)
	case chat.Thinking:
		w.thought(p)
	case chat.Redacted:
		w.redacted(p.Data)
	}
}

func (w *writer) text(p *chat.Part) {
	w.Item('{')
	w.Text("text", p.Text)
	w.End("}")
}

// mark writes a point up to which is cached. Only models whose marks may stand among tools
// know how long.
func (w *writer) mark(field string, mark *chat.CacheMark) {
	if mark == nil {
		return
	}
	if !w.model.caches() || field == "tools.cache" && !w.model.cachesTools() {
		w.lossy.Add(field)
		return
	}
	w.Item('{')
	w.Open("cachePoint", '{')
	w.Text("type", "default")
	if w.model.cachesTools() {
		w.Said("ttl", mark.TTL)
	} else if mark.TTL != "5m" {
		w.leave(field, mark.TTL)
	}
	w.End("}}")
}

// thought writes thinking that the model signed; other is of no use to it.
func (w *writer) thought(p *chat.Part) {
	if p.Signature == "" {
		w.lossy.Add("messages.thinking")
		return
	}
	w.Item('{')
	w.Open("reasoningContent", '{')
	w.Open("reasoningText", '{')
	w.Text("text", p.Text)
	w.Text("signature", p.Signature)
	w.End("}}}")
}

// redacted writes what can only have come from here: bytes in base64.
func (w *writer) redacted(data string) {
	if _, err := base64.StdEncoding.DecodeString(data); err != nil || data == "" {
		w.lossy.Add("messages.redacted_thinking")
		return
	}
	w.Item('{')
	w.Open("reasoningContent", '{')
	w.Text("redactedContent", data)
	w.End("}}")
}

// call writes a call. Its input is an object here; arguments that are none are left out.
func (w *writer) call(call *chat.ToolCall) {
	arguments := call.Arguments
	if !isObject(arguments) {
		w.leave("messages.arguments", arguments)
		arguments = "{}"
	}
	w.Item('{')
	w.Open("toolUse", '{')
	w.Text("toolUseId", callID(call.ID))
	w.Text("name", call.Name)
	w.Raw("input", arguments)
	w.End("}}")
}

func isObject(text string) bool {
	var space [16]jsonscan.Field
	_, err := jsonscan.Fields(space[:0], []byte(text), nil)
	return err == nil
}

const maxID = 64

// callID is one that Bedrock takes: letters, digits, _ and -, of 64 the last.
func callID(id string) string {
	id = strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
			return c
		}
		return '_'
	}, id)
	return id[max(len(id)-maxID, 0):]
}

// result writes what a tool gave.
func (w *writer) result(result *chat.ToolResult) {
	w.Item('{')
	w.Open("toolResult", '{')
	w.Text("toolUseId", callID(result.CallID))
	w.Open("content", '[')
	for i := range result.Parts {
		switch p := &result.Parts[i]; {
		case p.Cache != nil:
			w.lossy.Add("messages.cache")
			fallthrough
		case p.Media != nil || p.Text != "":
			w.part(p)
		}
	}
	w.End("]")
	if result.Failed && w.model.fails() {
		w.Text("status", "error")
	} else if result.Failed {
		w.lossy.Add("messages.failed")
	}
	w.End("}}")
}
