package responses

import (
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// What encrypted_content begins with.
const (
	ofThinking = "thinking:"
	ofRedacted = "redacted:"
	ofCall     = "call:"
)

// input is what later items need of earlier ones.
type input struct {
	// tools are the names of those called, by the call's id.
	tools map[string]string
	// signature is of the call that follows.
	signature string
	// results: the last message has results of tools only, and takes more parts.
	results bool
}

// item is one of the input's, its fields as they stand.
type item struct {
	at                       value
	kind, role, callID, name string
	arguments, encrypted     string
	content, output, summary value
}

func (r *reading) readInput(v value) *chat.Fault {
	r.input.tools = make(map[string]string)
	if v.Raw[0] == '"' {
		var text string
		fault := v.Text(&text)
		r.turn(chat.User, chat.Part{Kind: chat.Text, Text: text})
		return fault
	}
	return v.Array(func(_ int, element value) *chat.Fault {
		it := item{at: element}
		if fault := r.readItem(element, &it); fault != nil {
			return fault
		}
		return r.place(&it)
	})
}

func (r *reading) readItem(v value, it *item) *chat.Fault {
	return v.Object(func(name string, field value) *chat.Fault {
		switch name {
		case "type":
			return field.OneOf(&it.kind, "message", "function_call", "function_call_output", "reasoning")
		case "role":
			return field.OneOf(&it.role, "user", "assistant", "system", "developer")
		case "call_id":
			return field.Text(&it.callID)
		case "name":
			return field.Text(&it.name)
		case "arguments":
			return field.Text(&it.arguments)
		case "encrypted_content":
			return field.Text(&it.encrypted)
		case "content":
			it.content = field
		case "output":
			it.output = field
		case "summary":
			it.summary = field
		case "id", "status", "phase": // of an answer's items, sent back
		case "parsed_arguments": // what OpenAI's SDK reads in the arguments
		default:
			r.lost.Note("input", name)
		}
		return nil
	})
}

func (r *reading) place(it *item) *chat.Fault {
	switch {
	case it.kind == "function_call":
		return r.call(it)
	case it.kind == "function_call_output":
		return r.result(it)
	case it.kind == "reasoning":
		return r.thought(it)
	case it.role == "":
		return it.at.Child("role", nil).Fault("A message needs a role, other items their type.")
	}
	return r.message(it)
}

func (r *reading) message(it *item) *chat.Fault {
	parts, fault := r.content(it.at.Child("content", it.content.Raw), it.role)
	switch it.role {
	case "user":
		if r.input.results {
			r.add(parts...)
			r.input.results = false
			return fault
		}
		r.turn(chat.User, parts...)
	case "assistant":
		r.say(parts...)
	default:
		if len(r.request.Messages) == 0 {
			r.request.System = append(r.request.System, parts...)
			return fault
		}
		r.turn(chat.Instruction, parts...)
	}
	return fault
}

// turn begins a message; the results of tools are over.
func (r *reading) turn(role chat.Role, parts ...chat.Part) {
	r.input.results = false
	r.request.Messages = append(r.request.Messages, chat.Message{Role: role, Parts: parts})
}

func (r *reading) add(parts ...chat.Part) {
	last := &r.request.Messages[len(r.request.Messages)-1]
	last.Parts = append(last.Parts, parts...)
}

// say adds to the turn of the assistant, of which every item is a part.
func (r *reading) say(parts ...chat.Part) {
	if n := len(r.request.Messages); n == 0 || r.request.Messages[n-1].Role != chat.Assistant {
		r.turn(chat.Assistant)
	}
	r.add(parts...)
}

func (r *reading) call(it *item) *chat.Fault {
	if it.arguments == "" {
		it.arguments = "{}"
	}
	switch _, err := jsonscan.Fields(nil, []byte(it.arguments), nil); {
	case it.callID == "":
		return it.at.Child("call_id", nil).Fault("It must be the id of the call, as a string.")
	case it.name == "":
		return it.at.Child("name", nil).Fault(nameWanted)
	case err != nil:
		return it.at.Child("arguments", nil).Fault("It must be a JSON object, written as a string.")
	}
	r.input.tools[it.callID] = it.name
	r.say(chat.Part{Kind: chat.Call, Signature: r.input.signature, Call: &chat.ToolCall{ID: it.callID, Name: it.name, Arguments: it.arguments}})
	r.input.signature = ""
	return nil
}

func (r *reading) result(it *item) *chat.Fault {
	if it.callID == "" {
		return it.at.Child("call_id", nil).Fault("It must be the id of the call that this is the result of, as a string.")
	}
	parts, fault := r.content(it.at.Child("output", it.output.Raw), "tool")
	if !r.input.results {
		r.turn(chat.User)
		r.input.results = true
	}
	r.add(chat.Part{Kind: chat.Result, Result: &chat.ToolResult{CallID: it.callID, Name: r.input.tools[it.callID], Parts: parts}})
	return fault
}

// thought reads a reasoning item: its summary, or its content where a model's own words
// are there.
func (r *reading) thought(it *item) *chat.Fault {
	text, fault := r.words(it.summary)
	if fault == nil && text == "" {
		text, fault = r.words(it.content)
	}
	if fault != nil {
		return fault
	}
	if data, ok := strings.CutPrefix(it.encrypted, ofRedacted); ok {
		r.say(chat.Part{Kind: chat.Redacted, Data: data})
		return nil
	}
	if signature, ok := strings.CutPrefix(it.encrypted, ofCall); ok {
		r.input.signature = signature
		return nil
	}
	signature, ok := strings.CutPrefix(it.encrypted, ofThinking)
	if !ok && it.encrypted != "" {
		r.lost.Note("input", "encrypted_content")
		signature = ""
	}
	if text != "" || signature != "" {
		r.say(chat.Part{Kind: chat.Thinking, Text: text, Signature: signature})
	}
	return nil
}

// words joins the texts of a list by blank lines.
func (r *reading) words(v value) (string, *chat.Fault) {
	var texts []string
	if v.Null() {
		return "", nil
	}
	fault := v.Array(func(_ int, element value) *chat.Fault {
		return element.Object(func(name string, field value) *chat.Fault {
			var text string
			if name != "text" {
				return nil
			}
			fault := field.Text(&text)
			texts = append(texts, text)
			return fault
		})
	})
	return strings.Join(texts, "\n\n"), fault
}
