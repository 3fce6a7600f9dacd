package openai

import (
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// The types of content that the messages of a role have. A tool's result is text to
// OpenAI; compatible servers and clients have images there.
var (
	ofInstruction = map[string]bool{"text": true}
	ofUser        = map[string]bool{"text": true, "image_url": true, "input_audio": true, "file": true}
	ofAssistant   = map[string]bool{"text": true, "refusal": true}
	ofTool        = map[string]bool{"text": true, "image_url": true, "file": true}
)

// content reads a message's; empty text is no part.
func (r *reading) content(m *message, allowed map[string]bool) ([]chat.Part, *chat.Fault) {
	if !m.hasContent {
		if m.role == "assistant" || m.role == "function" {
			return nil, nil
		}
		return nil, m.at.Child("content", nil).Fault("It must be a string or an array of parts.")
	}
	switch m.content.Raw[0] {
	case '"':
		return textParts(jsonscan.Text(m.content.Raw)), nil
	case '[':
	default:
		return nil, m.content.Fault("It must be a string or an array of parts.")
	}
	var parts []chat.Part
	fault := m.content.Array(func(_ int, element jsonvalue.Value) *chat.Fault {
		part, fault := r.part(element, allowed)
		if part.Kind != chat.Text || part.Text != "" {
			parts = append(parts, part)
		}
		return fault
	})
	return parts, fault
}

func textParts(text string) []chat.Part {
	if text == "" {
		return nil
	}
	return []chat.Part{{Kind: chat.Text, Text: text}}
}

// part reads one; its type says which other field counts.
func (r *reading) part(v jsonvalue.Value, allowed map[string]bool) (part chat.Part, fault *chat.Fault) {
	var kind string
	var content, mark jsonvalue.Value
	fault = v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "type":
			return field.Text(&kind)
		case "text", "refusal", "image_url", "input_audio", "file":
			if content.Name() == "" || name == kind {
				content = field
			}
		case "cache_control":
			return r.cacheControl(field, &part.Cache)
		case "prompt_cache_breakpoint":
			mark = field
		default:
			r.lose("messages.content", name)
		}
		return nil
	})
	if fault != nil {
		return part, fault
	}
	if !allowed[kind] {
		return part, v.Child("type", nil).Fault("Messages of this role have no parts of this type.")
	}
	if !mark.Null() && part.Cache == nil {
		part.Cache = &chat.CacheMark{}
	}
	if content.Name() != kind {
		return part, v.Child(kind, nil).Fault("It is missing.")
	}
	fault = r.partContent(kind, content, &part)
	return part, fault
}

func (r *reading) partContent(kind string, v jsonvalue.Value, part *chat.Part) *chat.Fault {
	switch kind {
	case "refusal":
		part.Kind = chat.Refusal
		return v.Text(&part.Text)
	case "image_url":
		part.Kind, part.Media = chat.Image, &chat.Media{}
		return r.image(v, part.Media)
	case "input_audio":
		part.Kind, part.Media = chat.Audio, &chat.Media{}
		return r.audio(v, part.Media)
	case "file":
		part.Kind, part.Media = chat.Document, &chat.Media{}
		return r.file(v, part.Media)
	}
	return v.Text(&part.Text)
}

// thoughts reads the thinking of an earlier answer: blocks, which are signed, or else
// its text.
func (r *reading) thoughts(m *message) (parts []chat.Part, fault *chat.Fault) {
	if m.hasBlocks {
		fault = m.blocks.Array(func(_ int, element jsonvalue.Value) *chat.Fault {
			part, fault := r.thought(element)
			parts = append(parts, part)
			return fault
		})
	}
	if fault != nil || len(parts) > 0 || m.reasoning.Null() {
		return parts, fault
	}
	var thinking string
	if fault = m.reasoning.Text(&thinking); fault != nil || thinking == "" {
		return nil, fault
	}
	return []chat.Part{{Kind: chat.Thinking, Text: thinking}}, nil
}

func (r *reading) thought(v jsonvalue.Value) (part chat.Part, fault *chat.Fault) {
	var kind string
	fault = v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "type":
			return field.OneOf(&kind, blockThinking, blockRedacted)
		case "thinking":
			return field.Text(&part.Text)
		case "signature":
			return field.Text(&part.Signature)
		case "data":
			return field.Text(&part.Data)
		}
		r.lose("messages.thinking_blocks", name)
		return nil
	})
	part.Kind = chat.Thinking
	if kind == blockRedacted {
		part.Kind = chat.Redacted
	}
	if kind == "" && fault == nil {
		fault = v.Child("type", nil).Fault("It must be one of: thinking, redacted_thinking.")
	}
	return part, fault
}

// thoughtSignature reads extra_content.
func thoughtSignature(v jsonvalue.Value, into *string) *chat.Fault {
	return v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		if name != "google" {
			return nil
		}
		return field.Object(func(name string, field jsonvalue.Value) *chat.Fault {
			if name != "thought_signature" {
				return nil
			}
			return field.Text(into)
		})
	})
}
