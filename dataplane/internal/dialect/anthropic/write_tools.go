package anthropic

import (
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// answerTool is the tool that stands for a format which this dialect, or the model, has
// not.
const answerTool = "json_answer"

// emulates gives the name of the tool whose arguments are to be the answer; empty: none.
// It must be the only one. It stands for what is no format here: any object, a schema
// that the model has no formats for, and one that need not be strict, as a format's
// schema is refused unless it closes every object. Who asks for thinking gets the
// format: thinking does not go with a tool that must be called.
func (q *request) emulates() string {
	f := &q.Format
	strict := f.Strict != nil && *f.Strict
	native := f.Shape == chat.JSONSchema && q.generation.Formats() && (strict || q.reasons())
	if f.Shape == chat.Free || native || len(q.Tools) > 0 || q.always {
		return ""
	}
	if f.Name != "" {
		return f.Name
	}
	return answerTool
}

func (q *request) reasons() bool {
	return q.Reasoning.Budget != 0 || q.Reasoning.Effort != "" && q.Reasoning.Effort != "none"
}

func (q *request) tools() {
	if q.emulated != "" {
		q.answerTool()
		return
	}
	if len(q.Tools) == 0 {
		return
	}
	q.raw("tools", "[")
	for i := range q.Tools {
		q.tool(&q.Tools[i])
	}
	q.close(']')
}

func (q *request) tool(tool *chat.Tool) {
	q.open("{")
	q.text("name", tool.Name)
	if tool.Description != "" {
		q.text("description", tool.Description)
	}
	q.raw("input_schema", schema(tool.Schema))
	if tool.Strict != nil {
		q.flag("strict", *tool.Strict)
	}
	q.mark(tool.Cache)
	q.close('}')
}

func (q *request) answerTool() {
	q.raw("tools", "[{")
	q.text("name", q.emulated)
	if q.Format.Description != "" {
		q.text("description", q.Format.Description)
	}
	q.raw("input_schema", schema(q.Format.Schema))
	q.b = append(q.b, "}]"...)
}

var choiceNames = map[chat.Choose]string{chat.Unsaid: "auto", chat.Auto: "auto", chat.Any: "any", chat.Never: "none", chat.Named: "tool"}

// choose is how tools are chosen.
func (q *request) choose() chat.ToolChoice {
	forced := q.ToolChoice.Choose == chat.Any || q.ToolChoice.Choose == chat.Named
	switch {
	case q.emulated != "":
		return chat.ToolChoice{Choose: chat.Named, Name: q.emulated}
	case forced && q.always:
		q.lossy.Add("tool_choice")
		return chat.ToolChoice{Choose: chat.Auto}
	}
	return q.ToolChoice
}

func (q *request) writeChoice() {
	choice, parallel := q.choice, q.ParallelTools
	if q.emulated != "" {
		parallel = new(bool)
	} else if len(q.Tools) == 0 {
		return // nothing to choose from
	}
	if choice.Choose == chat.Unsaid && (parallel == nil || *parallel) {
		return
	}
	q.raw("tool_choice", "{")
	q.text("type", choiceNames[choice.Choose])
	if choice.Choose == chat.Named {
		q.text("name", choice.Name)
	}
	if parallel != nil && choice.Choose != chat.Never {
		q.flag("disable_parallel_tool_use", !*parallel)
	}
	q.close('}')
}

func (q *request) flag(name string, yes bool) {
	if yes {
		q.raw(name, "true")
		return
	}
	q.raw(name, "false")
}

func (q *request) mark(mark *chat.CacheMark) {
	if mark == nil {
		return
	}
	q.raw("cache_control", `{"type":"ephemeral"`)
	if mark.TTL != "" {
		q.text("ttl", mark.TTL)
	}
	q.close('}')
}
