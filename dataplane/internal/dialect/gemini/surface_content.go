package gemini

import (
	"slices"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

func (r *reader) content(at string, value []byte) {
	message := chat.Message{Role: chat.User}
	r.fields(at, value, func(name string, value []byte) {
		switch name {
		case "role":
			message.Role = r.role(at+".role", value)
		case "parts":
			r.list(at+".parts", value, func(at string, value []byte) {
				message.Parts = append(message.Parts, r.messagePart(at, value))
			})
		default:
			r.drop("contents", name)
		}
	})
	if len(message.Parts) == 0 {
		r.wrong(at+".parts", "It is missing or empty: at least one part is wanted.")
	}
	if message.Role == chat.User {
		slices.SortStableFunc(message.Parts, func(a, b chat.Part) int { return later(a) - later(b) })
	}
	r.request.Messages = append(r.request.Messages, message)
}

// later is 0 for results of tools, which go ahead of a turn's other parts.
func later(p chat.Part) int {
	if p.Kind == chat.Result {
		return 0
	}
	return 1
}

func (r *reader) role(at string, value []byte) chat.Role {
	switch r.text(at, value) {
	case "model":
		return chat.Assistant
	case "", "user", "function", "tool":
	default:
		r.wrong(at, `It is neither "user" nor "model". Instructions go into systemInstruction.`)
	}
	return chat.User
}

func (r *reader) messagePart(at string, value []byte) chat.Part {
	p := r.part(at, "contents.parts", value)
	switch {
	case p.said.Call != nil:
		r.calls.made(p.said.Call)
	case p.result != nil:
		p.said.Result = r.result(at+".functionResponse", p.result)
	case p.said.Media != nil && !portable(p.said.Media.URL):
		r.wrong(at+".fileData.fileUri", "It names a file that only Google's own service can read. Send inlineData, or the URL of a file that is public.")
	}
	return p.said
}

// portable tells URLs that others than Google can read.
func portable(url string) bool {
	return !strings.HasPrefix(url, "gs://") && !strings.HasPrefix(url, "https://generativelanguage.googleapis.com/")
}

// result reads what a tool gave. Of its response, "output" and "error" are what Google
// names for the two cases; any other object is the output.
func (r *reader) result(at string, value []byte) *chat.ToolResult {
	result := &chat.ToolResult{}
	var response []byte
	r.fields(at, value, func(name string, value []byte) {
		switch at := at + "." + name; name {
		case "id":
			result.CallID = r.text(at, value)
		case "name":
			result.Name = r.text(at, value)
		case "response":
			if r.object(at, value) != "" {
				response = value
			}
		case "parts":
			r.list(at, value, func(at string, value []byte) { result.Parts = append(result.Parts, r.resultMedia(at, value)) })
		default:
			r.drop("contents.parts.functionResponse", name)
		}
	})
	if id := r.calls.answered(result.CallID, result.Name); id != "" {
		result.CallID = id
	} else {
		r.wrong(at+".id", "It is missing, and no functionCall before this has the name and waits for a result.")
	}
	if response != nil {
		said, failed := outcome(response)
		result.Failed = failed
		result.Parts = append([]chat.Part{{Text: said}}, result.Parts...)
	}
	return result
}

func (r *reader) resultMedia(at string, value []byte) chat.Part {
	p := r.part(at, "contents.parts.functionResponse.parts", value)
	if p.said.Media == nil {
		r.wrong(at, "It is neither inlineData nor fileData.")
	}
	return p.said
}

// outcome is the text of a response.
func outcome(response []byte) (said string, failed bool) {
	count := 0
	var only []byte
	var name string
	object(response, func(field string, value []byte) {
		count++
		name, only = field, value
	})
	if count != 1 || name != "output" && name != "error" {
		return string(response), false
	}
	if only[0] == '"' {
		return jsonscan.Text(only), name == "error"
	}
	return string(only), name == "error"
}
