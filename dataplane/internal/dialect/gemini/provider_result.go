package gemini

import (
	"fmt"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// result writes what a tool gave: an object as it is, any other text as its output.
func (w *writer) result(at string, result *chat.ToolResult) {
	name := result.Name
	if name == "" {
		name = w.names[result.CallID]
	}
	if name == "" {
		w.refuse(at, fmt.Sprintf("It has the result of a call %q, which no message before it has.", result.CallID))
	}
	w.item('{')
	w.open("functionResponse", '{')
	w.said("id", result.CallID)
	w.text("name", name)
	w.response(result)
	w.resultFiles(result)
	w.end('}')
	w.end('}')
}

func (w *writer) response(result *chat.ToolResult) {
	var texts []string
	for i := range result.Parts {
		w.mark(&result.Parts[i], "messages")
		if p := &result.Parts[i]; p.Kind == chat.Text && p.Text != "" {
			texts = append(texts, p.Text)
		}
	}
	said := strings.Join(texts, "\n")
	name := "output"
	if result.Failed {
		name = "error"
	}
	if !result.Failed && isObject([]byte(said)) && !saysOutcome(said) {
		w.raw("response", strings.TrimSpace(said))
		return
	}
	w.open("response", '{')
	w.text(name, said)
	w.end('}')
}

// saysOutcome tells objects that would be read as something else than an output.
func saysOutcome(said string) bool {
	says := false
	object([]byte(said), func(name string, _ []byte) { says = says || name == "output" || name == "error" })
	return says
}

func (w *writer) resultFiles(result *chat.ToolResult) {
	begun := false
	for i := range result.Parts {
		p := &result.Parts[i]
		if p.Media == nil {
			continue
		}
		if !begun {
			w.open("parts", '[')
			begun = true
		}
		w.file(p)
	}
	if begun {
		w.end(']')
	}
}
