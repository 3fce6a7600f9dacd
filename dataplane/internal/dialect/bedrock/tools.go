package bedrock

import (
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/claude"
)

// answerTool is the tool that stands for a format which the model has not.
const answerTool = "json_answer"

// emulates gives the name of the tool whose arguments are to be the answer; empty: none. It
// must be the only one. With Claude it stands also for a schema that need not be strict: a
// native one is refused unless it closes every object. Thinking does not go with a tool
// that must be called: who asks for it gets the native one.
func (w *writer) emulates() string {
	f, r := &w.request.Format, w.request
	strict := f.Strict != nil && *f.Strict
	reasons := r.Reasoning.Budget != 0 || r.Reasoning.Effort != "" && r.Reasoning.Effort != "none"
	native := f.Shape == chat.JSONSchema && w.model.formats() && (strict || reasons || w.model.family != claudeModels)
	if f.Shape == chat.Free || native || len(r.Tools) > 0 || !w.model.emulates() || w.alwaysThinks() || w.usesTools() {
		return ""
	}
	if f.Name != "" {
		return f.Name
	}
	return answerTool
}

func (w *writer) alwaysThinks() bool {
	return w.model.family == claudeModels && claude.AlwaysThinks(w.request.Model)
}

// usesTools: there is a call or a result in the conversation.
func (w *writer) usesTools() bool {
	for i := range w.request.Messages {
		for j := range w.request.Messages[i].Parts {
			if kind := w.request.Messages[i].Parts[j].Kind; kind == chat.Call || kind == chat.Result {
				return true
			}
		}
	}
	return false
}

// choose is how tools are chosen.
func (w *writer) choose() chat.ToolChoice {
	choice := w.request.ToolChoice
	forced := choice.Choose == chat.Any || choice.Choose == chat.Named
	switch {
	case w.emulated != "":
		return chat.ToolChoice{Choose: chat.Named, Name: w.emulated}
	case forced && w.alwaysThinks():
		w.lossy.Add("tool_choice")
		return chat.ToolChoice{Choose: chat.Auto}
	}
	return choice
}

// tools writes toolConfig. It has no word for not calling tools: then they are left out,
// unless the conversation has calls, with which Bedrock wants tools to be there; those that
// it calls are, if no others.
func (w *writer) tools() {
	r, uses := w.request, w.usesTools()
	never := w.choice.Choose == chat.Never
	switch {
	case w.emulated != "":
		w.config(func() {
			w.spec(-1, &chat.Tool{Name: w.emulated, Description: r.Format.Description, Schema: r.Format.Schema})
		})
	case len(r.Tools) > 0 && never && !uses:
		w.lossy.Add("tools")
	case len(r.Tools) > 0:
		if never {
			w.lossy.Add("tool_choice")
		}
		w.config(func() {
			for i := range r.Tools {
				w.spec(i, &r.Tools[i])
			}
		})
	case uses:
		w.lossy.Add("tool_choice")
		w.config(w.calledBefore)
	}
}

func (w *writer) config(list func()) {
	w.Open("toolConfig", '{')
	w.Open("tools", '[')
	list()
	w.End("]")
	w.writeChoice()
	w.End("}")
}

// calledBefore writes the tools that the conversation calls.
func (w *writer) calledBefore() {
	written := map[string]bool{}
	add := func(name string) {
		if name != "" && !written[name] {
			written[name] = true
			w.spec(-1, &chat.Tool{Name: name})
		}
	}
	for i := range w.request.Messages {
		for j := range w.request.Messages[i].Parts {
			switch p := &w.request.Messages[i].Parts[j]; p.Kind {
			case chat.Call:
				add(p.Call.Name)
			case chat.Result:
				add(p.Result.Name)
			}
		}
	}
	if len(written) == 0 {
		w.refuse("messages", "They have results of tools that none of them calls.")
	}
}

func (w *writer) spec(at int, tool *chat.Tool) {
	schema := tool.Schema
	if schema == "" {
		schema = `{"type":"object"}`
	}
	if !isObject(schema) {
		field := "format.schema"
		if at >= 0 {
			field = "tools[" + strconv.Itoa(at) + "].schema"
		}
		w.refuse(field, "It is not a JSON object.")
	}
	w.Item('{')
	w.Open("toolSpec", '{')
	w.Text("name", tool.Name)
	w.Said("description", tool.Description)
	w.Open("inputSchema", '{')
	w.Raw("json", schema)
	w.End("}")
	if tool.Strict != nil && *tool.Strict {
		if w.model.formats() {
			w.Raw("strict", "true")
		} else {
			w.lossy.Add("tools.strict")
		}
	}
	w.End("}}")
	w.mark("tools.cache", tool.Cache)
}

func (w *writer) writeChoice() {
	switch w.choice.Choose {
	case chat.Auto:
		w.Raw("toolChoice", `{"auto":{}}`)
	case chat.Any:
		w.Raw("toolChoice", `{"any":{}}`)
	case chat.Named:
		w.Open("toolChoice", '{')
		w.Open("tool", '{')
		w.Text("name", w.choice.Name)
		w.End("}}")
	}
}
