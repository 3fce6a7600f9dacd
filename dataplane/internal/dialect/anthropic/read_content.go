package anthropic

import (
	"encoding/base64"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

func (r *reader) messages(v value) []chat.Message {
	var messages []chat.Message
	r.each(v, func(v value) {
		o := r.object(v)
		var message chat.Message
		switch r.word(r.must(&o, "role"), "user", "assistant", "system") {
		case "assistant":
			message.Role = chat.Assistant
		case "system":
			message.Role = chat.Instruction
		}
		message.Parts = r.content(r.must(&o, "content"))
		r.rest(&o)
		messages = append(messages, message)
	})
	return messages
}

// content reads a string, or blocks.
func (r *reader) content(v value) []chat.Part {
	if v.isString() {
		return []chat.Part{{Text: jsonscan.Text(v.raw)}}
	}
	if r.blocks == maxBlocks {
		r.wrong(v.path, "Its blocks stand too deep.")
	}
	r.blocks++
	var parts []chat.Part
	r.each(v, func(v value) { parts = r.block(parts, v) })
	r.blocks--
	return parts
}

// texts reads a string, or blocks of text.
func (r *reader) texts(v value) []chat.Part {
	parts := r.content(v)
	for _, part := range parts {
		if part.Kind != chat.Text {
			r.wrong(v.path, "It must be a string, or blocks of the type text.")
		}
	}
	return parts
}

// block appends what a block says. Those of tools that the provider ran are left out.
func (r *reader) block(parts []chat.Part, v value) []chat.Part {
	o := r.object(v)
	kind := r.text(r.must(&o, "type"))
	if r.fault != nil {
		return parts
	}
	part := chat.Part{Cache: r.mark(o.take("cache_control"))}
	switch kind {
	case "text":
		part.Text = r.text(r.must(&o, "text"))
		r.citations(&o)
	case "image":
		part.Kind, part.Media = chat.Image, r.source(r.must(&o, "source"))
	case "document":
		return r.document(parts, &o, part)
	case "search_result":
		return r.searchResult(parts, &o)
	case "thinking":
		part.Kind, part.Text, part.Signature = chat.Thinking, r.text(o.take("thinking")), r.text(o.take("signature"))
	case "redacted_thinking":
		part.Kind, part.Data = chat.Redacted, r.text(r.must(&o, "data"))
	case "tool_use":
		part.Kind, part.Call = chat.Call, r.call(&o)
	case "tool_result":
		part.Kind, part.Result = chat.Result, r.result(&o)
	default:
		r.note(o.at(kind))
		return parts
	}
	r.rest(&o)
	return append(parts, part)
}

// citations of an answer that comes back; an empty list says nothing.
func (r *reader) citations(o *object) {
	if v := o.take("citations"); v.raw != nil && string(v.raw) != "[]" {
		r.note(v.path)
	}
}

func (r *reader) call(o *object) *chat.ToolCall {
	call := &chat.ToolCall{
		ID:        r.text(r.must(o, "id")),
		Name:      r.text(r.must(o, "name")),
		Arguments: r.json(r.must(o, "input")),
	}
	caller := r.object(o.take("caller"))
	if kind := r.text(caller.take("type")); kind != "" && kind != "direct" {
		r.note(caller.path)
	}
	return call
}

func (r *reader) result(o *object) *chat.ToolResult {
	result := &chat.ToolResult{CallID: r.text(r.must(o, "tool_use_id")), Parts: r.content(o.take("content"))}
	if failed := r.flag(o.take("is_error")); failed != nil {
		result.Failed = *failed
	}
	return result
}

// document reads one by value or URL. Blocks as a document's source become parts of
// their own.
func (r *reader) document(parts []chat.Part, o *object, part chat.Part) []chat.Part {
	source := r.must(o, "source")
	name := r.text(o.take("title"))
	if v := o.take("citations"); v.raw != nil {
		citations := r.object(v)
		if enabled := r.flag(citations.take("enabled")); enabled != nil && *enabled {
			r.note(v.path)
		}
	}
	r.rest(o) // context
	inner := r.object(source)
	if r.text(inner.take("type")) == "content" {
		r.note(source.path)
		parts = append(parts, r.content(r.must(&inner, "content"))...)
		if part.Cache != nil && len(parts) > 0 {
			parts[len(parts)-1].Cache = part.Cache
		}
		return parts
	}
	part.Kind, part.Media = chat.Document, r.source(source)
	if part.Media != nil {
		part.Media.Name = name
	}
	return append(parts, part)
}

// searchResult keeps the text of a result.
func (r *reader) searchResult(parts []chat.Part, o *object) []chat.Part {
	r.note(o.at("search_result"))
	return append(parts, r.texts(r.must(o, "content"))...)
}

// source reads media. Plain text becomes base64, as all media by value.
func (r *reader) source(v value) *chat.Media {
	o := r.object(v)
	media := new(chat.Media)
	switch r.word(r.must(&o, "type"), "base64", "url", "text", "file") {
	case "base64":
		media.Type, media.Data = r.text(r.must(&o, "media_type")), r.text(r.must(&o, "data"))
	case "url":
		media.URL = r.text(r.must(&o, "url"))
	case "text":
		media.Type = r.text(r.must(&o, "media_type"))
		media.Data = base64.StdEncoding.EncodeToString([]byte(r.text(r.must(&o, "data"))))
	case "file":
		r.wrong(o.at("type"), "A file belongs to one account of one provider; send it by base64 or url.")
	}
	r.rest(&o)
	return media
}
