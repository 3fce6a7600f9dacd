package openai

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

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
		return nil, m.at.child("content", nil).fault("It must be a string or an array of parts.")
	}
	switch m.content.raw[0] {
	case '"':
		return textParts(text(m.content.raw)), nil
	case '[':
	default:
		return nil, m.content.fault("It must be a string or an array of parts.")
	}
	var parts []chat.Part
	fault := m.content.array(func(_ int, element value) *chat.Fault {
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
func (r *reading) part(v value, allowed map[string]bool) (part chat.Part, fault *chat.Fault) {
	var kind string
	var content, mark value
	fault = v.object(func(name string, field value) *chat.Fault {
		switch name {
		case "type":
			return field.text(&kind)
		case "text", "refusal", "image_url", "input_audio", "file":
			if content.name == "" || name == kind {
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
		return part, v.child("type", nil).fault("Messages of this role have no parts of this type.")
	}
	if !mark.null() && part.Cache == nil {
		part.Cache = &chat.CacheMark{}
	}
	if content.name != kind {
		return part, v.child(kind, nil).fault("It is missing.")
	}
	fault = r.partContent(kind, content, &part)
	return part, fault
}

func (r *reading) partContent(kind string, v value, part *chat.Part) *chat.Fault {
	switch kind {
	case "refusal":
		part.Kind = chat.Refusal
		return v.text(&part.Text)
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
	return v.text(&part.Text)
}

// thoughts reads the thinking of an earlier answer: blocks, which are signed, or else
// its text.
func (r *reading) thoughts(m *message) (parts []chat.Part, fault *chat.Fault) {
	if m.hasBlocks {
		fault = m.blocks.array(func(_ int, element value) *chat.Fault {
			part, fault := r.thought(element)
			parts = append(parts, part)
			return fault
		})
	}
	if fault != nil || len(parts) > 0 || m.reasoning.null() {
		return parts, fault
	}
	var thinking string
	if fault = m.reasoning.text(&thinking); fault != nil || thinking == "" {
		return nil, fault
	}
	return []chat.Part{{Kind: chat.Thinking, Text: thinking}}, nil
}

func (r *reading) thought(v value) (part chat.Part, fault *chat.Fault) {
	var kind string
	fault = v.object(func(name string, field value) *chat.Fault {
		switch name {
		case "type":
			return field.oneOf(&kind, blockThinking, blockRedacted)
		case "thinking":
			return field.text(&part.Text)
		case "signature":
			return field.text(&part.Signature)
		case "data":
			return field.text(&part.Data)
		}
		r.lose("messages.thinking_blocks", name)
		return nil
	})
	part.Kind = chat.Thinking
	if kind == blockRedacted {
		part.Kind = chat.Redacted
	}
	if kind == "" && fault == nil {
		fault = v.child("type", nil).fault("It must be one of: thinking, redacted_thinking.")
	}
	return part, fault
}

// thoughtSignature reads extra_content.
func (v value) thoughtSignature(into *string) *chat.Fault {
	return v.object(func(name string, field value) *chat.Fault {
		if name != "google" {
			return nil
		}
		return field.object(func(name string, field value) *chat.Fault {
			if name != "thought_signature" {
				return nil
			}
			return field.text(into)
		})
	})
}
