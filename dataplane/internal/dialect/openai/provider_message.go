package openai

import (
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

func (p *Provider) messages(r *chat.Request) []wireMessage {
	wire := make([]wireMessage, 0, len(r.Messages)+1)
	if len(r.System) > 0 {
		wire = append(wire, wireMessage{Role: "system", Content: p.content(r.System, p.instructionPart)})
	}
	for i := range r.Messages {
		m := &r.Messages[i]
		switch m.Role {
		case chat.Instruction:
			wire = append(wire, wireMessage{Role: "system", Name: m.Name, Content: p.content(m.Parts, p.instructionPart)})
		case chat.Assistant:
			wire = append(wire, p.assistant(m))
		default:
			wire = p.user(wire, m)
		}
	}
	return wire
}

// user writes the results of tools first, each as its own message. OpenAI has text in
// them only: other parts follow in a user's message.
func (p *Provider) user(wire []wireMessage, m *chat.Message) []wireMessage {
	var rest []chat.Part
	results := 0
	for i := range m.Parts {
		part := &m.Parts[i]
		if part.Kind != chat.Result {
			rest = append(rest, *part)
			continue
		}
		results++
		p.note(part)
		if part.Result.Failed {
			p.lossy.Add("messages.failed")
		}
		texts, others := split(part.Result.Parts)
		wire = append(wire, wireMessage{Role: "tool", ToolCallID: part.Result.CallID, Content: p.content(texts, p.part)})
		rest = append(rest, others...)
	}
	if len(rest) > 0 || results == 0 {
		wire = append(wire, wireMessage{Role: "user", Name: m.Name, Content: p.content(rest, p.part)})
	}
	return wire
}

func split(parts []chat.Part) (texts, others []chat.Part) {
	for _, part := range parts {
		if part.Kind == chat.Text {
			texts = append(texts, part)
		} else {
			others = append(others, part)
		}
	}
	return texts, others
}

// assistant sorts the parts of a turn into the fields that OpenAI has for them.
func (p *Provider) assistant(m *chat.Message) wireMessage {
	wire := wireMessage{Role: "assistant", Name: m.Name}
	var texts []chat.Part
	var refusal, thinking strings.Builder
	for i := range m.Parts {
		part := &m.Parts[i]
		switch part.Kind {
		case chat.Text:
			texts = append(texts, *part)
			continue
		case chat.Refusal:
			if p.compatible {
				texts = append(texts, chat.Part{Text: part.Text})
			} else {
				refusal.WriteString(part.Text)
			}
		case chat.Call:
			wire.ToolCalls = append(wire.ToolCalls, p.call(part))
		case chat.Thinking:
			thinking.WriteString(p.thinking(part))
		case chat.Redacted:
			p.lossy.Add("messages.redacted_thinking")
		case chat.Image:
			p.lossy.Add("messages.image")
		case chat.Audio:
			p.lossy.Add("messages.audio")
		default:
			p.lossy.Add("messages.document")
		}
		p.note(part)
	}
	wire.Refusal, wire.ReasoningContent = refusal.String(), thinking.String()
	if len(texts) > 0 || len(wire.ToolCalls) == 0 && wire.Refusal == "" {
		wire.Content = p.content(texts, p.part)
	}
	return wire
}

// thinking goes back to the servers that it came from: those of others sign it, and
// OpenAI keeps its own.
func (p *Provider) thinking(part *chat.Part) string {
	if p.compatible && part.Signature == "" {
		return part.Text
	}
	p.lossy.Add("messages.thinking")
	return ""
}

func (p *Provider) call(part *chat.Part) wireCall {
	signature := part.Signature
	if signature != "" && !p.compatible {
		p.lossy.Add("messages.signature")
		signature = ""
	}
	return newWireCall(part.Call.ID, part.Call.Name, orEmptyObject(part.Call.Arguments), signature)
}

// note names a mark that OpenAI has no need for: it caches prefixes by itself.
func (p *Provider) note(part *chat.Part) {
	if part.Cache != nil {
		p.lossy.Add("messages.cache")
	}
}

// content is a string where one says all, and parts else. To compatible servers, of
// which some read strings only, texts are divided by a blank line.
func (p *Provider) content(parts []chat.Part, write func(*chat.Part) (wirePart, bool)) any {
	wire := make([]wirePart, 0, len(parts))
	texts := make([]string, 0, len(parts))
	for i := range parts {
		p.note(&parts[i])
		part, ok := write(&parts[i])
		if !ok {
			continue
		}
		wire = append(wire, part)
		if part.Text != nil {
			texts = append(texts, *part.Text)
		}
	}
	if len(texts) == len(wire) && (len(wire) < 2 || p.compatible) {
		return strings.Join(texts, "\n\n")
	}
	return wire
}

func (p *Provider) instructionPart(part *chat.Part) (wirePart, bool) {
	if part.Kind != chat.Text {
		p.lossy.Add("system")
		return wirePart{}, false
	}
	return wirePart{Type: "text", Text: &part.Text}, true
}

func (p *Provider) part(part *chat.Part) (wirePart, bool) {
	switch media := part.Media; part.Kind {
	case chat.Text:
		return wirePart{Type: "text", Text: &part.Text}, true
	case chat.Image:
		return wirePart{Type: "image_url", ImageURL: &wireImage{URL: url(media), Detail: media.Detail}}, true
	case chat.Document:
		if media.Data != "" {
			return wirePart{Type: "file", File: &wireFile{Filename: fileName(media), FileData: url(media)}}, true
		}
		p.lossy.Add("messages.document")
	case chat.Audio:
		if format := audioFormats[media.Type]; format != "" && media.Data != "" {
			return wirePart{Type: "input_audio", InputAudio: &wireAudio{Data: media.Data, Format: format}}, true
		}
		p.lossy.Add("messages.audio")
	default:
		p.lossy.Add("messages.content")
	}
	return wirePart{}, false
}

// url is where media is, or the media itself.
func url(media *chat.Media) string {
	if media.Data == "" {
		return media.URL
	}
	return "data:" + media.Type + ";base64," + media.Data
}

// fileName of a document: OpenAI wants one.
func fileName(media *chat.Media) string {
	switch {
	case media.Name != "":
		return media.Name
	case media.Type == "text/plain":
		return "document.txt"
	}
	return "document.pdf"
}
