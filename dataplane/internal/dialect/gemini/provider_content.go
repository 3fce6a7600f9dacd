package gemini

import (
	"fmt"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// contents writes the conversation. The results of one turn's calls have to stand in one
// content, so a message that begins with a result goes on with the user's content before
// it. Contents without parts are refused upstream: they are left out.
func (w *writer) contents() {
	w.open("contents", '[')
	written := 0
	var before *chat.Message
	for i := range w.request.Messages {
		message := &w.request.Messages[i]
		if !w.hasParts(message) {
			continue
		}
		w.name(message)
		if before != nil && !joins(before, message) {
			w.endContent(before)
			before = nil
		}
		if before == nil {
			w.item('{')
			w.open("parts", '[')
		}
		w.message(i, message)
		before = message
		written++
	}
	if before != nil {
		w.endContent(before)
	}
	w.end(']')
	if written == 0 {
		w.refuse("messages", "They are empty: a text, a file or the result of a tool is wanted.")
	}
}

func (w *writer) endContent(of *chat.Message) {
	w.end(']')
	if of.Role == chat.Assistant {
		w.text("role", "model")
	} else {
		w.text("role", "user")
	}
	w.end('}')
}

// joins tells whether results go on: both messages are the user's, the second begins
// with a result.
func joins(before, next *chat.Message) bool {
	return before.Role == chat.User && next.Role == chat.User && next.Parts[0].Kind == chat.Result &&
		before.Parts[len(before.Parts)-1].Kind == chat.Result
}

// hasParts tells whether anything of a message will be written.
func (w *writer) hasParts(message *chat.Message) bool {
	has := false
	for i := range message.Parts {
		switch p := &message.Parts[i]; {
		case p.Kind == chat.Redacted:
			w.lossy.Add("messages.redacted_thinking")
		case !blank(p):
			has = true
		}
	}
	return has
}

// blank parts say nothing; upstream refuses texts that are empty.
func blank(p *chat.Part) bool {
	switch p.Kind {
	case chat.Text, chat.Refusal, chat.Thinking:
		return p.Text == "" && p.Signature == ""
	}
	return p.Kind == chat.Redacted
}

func (w *writer) name(message *chat.Message) {
	if message.Name != "" {
		w.lossy.Add("messages.name")
	}
	if message.Role == chat.Instruction {
		w.lossy.Add("messages.role") // it goes as the user's
	}
}

func (w *writer) refuse(field, message string) {
	if w.fault == nil {
		w.fault = &chat.Fault{Field: field, Message: message}
	}
}

func (w *writer) message(at int, message *chat.Message) {
	signed := !modern(w.request.Model) || anySigned(message)
	for i := range message.Parts {
		p := &message.Parts[i]
		if blank(p) {
			continue
		}
		w.mark(p, "messages")
		switch p.Kind {
		case chat.Text, chat.Refusal, chat.Thinking:
			w.textPart(p, "messages")
		case chat.Call:
			signature := p.Signature
			if !signed {
				signature, signed = unsigned, true // the first call of a turn has to have one
			}
			w.called(p.Call, signature)
		case chat.Result:
			w.result(fmt.Sprintf("messages[%d]", at), p.Result)
		default:
			w.file(p)
		}
	}
}

// modern tells models that check signatures and take levels of thinking: Gemini's from
// the third generation on.
func modern(model string) bool {
	for _, old := range []string{"gemini-1", "gemini-2", "gemma-", "learnlm-"} {
		if strings.HasPrefix(model, old) {
			return false
		}
	}
	return true
}

func anySigned(message *chat.Message) bool {
	for i := range message.Parts {
		if p := &message.Parts[i]; p.Kind == chat.Call && p.Signature != "" {
			return true
		}
	}
	return false
}

// mark notes the marks of a part that have no place.
func (w *writer) mark(p *chat.Part, where string) {
	if p.Cache != nil {
		w.lossy.Add(where + ".cache")
	}
	if p.Kind == chat.Refusal {
		w.lossy.Add(where + ".refusal") // it goes as text
	}
}

func (w *writer) textPart(p *chat.Part, where string) {
	if where == "system" {
		w.mark(p, where)
	}
	w.item('{')
	w.spoken(p.Kind, p.Text, p.Signature)
	w.end('}')
}

// file writes a file; without a detail where the model knows of none.
func (w *writer) file(p *chat.Part) {
	media := *p.Media
	if media.Detail == "auto" {
		media.Detail = ""
	}
	if _, ok := levels[media.Detail]; media.Detail != "" && (!ok || !modern(w.request.Model)) {
		w.lossy.Add("messages.detail")
		media.Detail = ""
	}
	w.media(&media)
}

func (w *writer) called(call *chat.ToolCall, signature string) {
	if w.names == nil {
		w.names = map[string]string{}
	}
	w.names[call.ID] = call.Name
	if !w.call(call, signature) {
		w.lossy.Add("messages.arguments") // broken by the model that wrote them
		w.call(&chat.ToolCall{ID: call.ID, Name: call.Name}, signature)
	}
}
