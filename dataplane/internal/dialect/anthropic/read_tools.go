package anthropic

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

// tools reads those that the caller describes; others are left out.
func (r *reader) tools(v value) []chat.Tool {
	var tools []chat.Tool
	r.each(v, func(v value) {
		o := r.object(v)
		if kind := r.text(o.take("type")); kind != "" && kind != "custom" {
			r.note(o.at(kind))
			return
		}
		tools = append(tools, chat.Tool{
			Name:        r.text(r.must(&o, "name")),
			Description: r.text(o.take("description")),
			Schema:      r.json(r.must(&o, "input_schema")),
			Strict:      r.flag(o.take("strict")),
			Cache:       r.mark(o.take("cache_control")),
		})
		r.rest(&o)
	})
	return tools
}

var choices = map[string]chat.Choose{"auto": chat.Auto, "any": chat.Any, "none": chat.Never, "tool": chat.Named}

func (r *reader) choice(v value, request *chat.Request) {
	if v.raw == nil {
		return
	}
	o := r.object(v)
	choice := chat.ToolChoice{Choose: choices[r.word(r.must(&o, "type"), "auto", "any", "tool", "none")]}
	if choice.Choose == chat.Named {
		choice.Name = r.text(r.must(&o, "name"))
	}
	if single := r.flag(o.take("disable_parallel_tool_use")); single != nil {
		parallel := !*single
		request.ParallelTools = &parallel
	}
	r.rest(&o)
	if !offered(request.Tools, choice) { // what it chose was left out
		r.note(v.path)
		return
	}
	request.ToolChoice = choice
}

// offered tells whether a choice can be met.
func offered(tools []chat.Tool, choice chat.ToolChoice) bool {
	switch choice.Choose {
	case chat.Named:
		for _, tool := range tools {
			if tool.Name == choice.Name {
				return true
			}
		}
		return false
	case chat.Any:
		return len(tools) > 0
	}
	return true
}
