package openai

import (
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

func (r *reading) tools(v jsonvalue.Value) *chat.Fault {
	return v.Array(func(_ int, element jsonvalue.Value) *chat.Fault {
		var kind string
		var function jsonvalue.Value
		var mark *chat.CacheMark
		fault := element.Object(func(name string, field jsonvalue.Value) *chat.Fault {
			switch name {
			case "type":
				return field.Text(&kind)
			case "function":
				function = field
				return nil
			case "cache_control":
				return r.cacheControl(field, &mark)
			case "custom":
				return nil
			}
			r.lose("tools", name)
			return nil
		})
		if fault != nil {
			return fault
		}
		if kind != "function" { // custom tools take text, built-in ones are OpenAI's
			r.lose("tools", kind)
			return nil
		}
		tool := chat.Tool{Cache: mark}
		fault = r.function(element.Child("function", function.Raw), &tool)
		r.request.Tools = append(r.request.Tools, tool)
		return fault
	})
}

func (r *reading) function(v jsonvalue.Value, tool *chat.Tool) *chat.Fault {
	fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "name":
			return field.Text(&tool.Name)
		case "description":
			return field.Text(&tool.Description)
		case "parameters":
			return field.JSON(&tool.Schema)
		case "strict":
			return field.Optional(&tool.Strict)
		}
		r.lose("tools.function", name)
		return nil
	})
	if fault == nil && tool.Name == "" {
		fault = v.Child("name", nil).Fault("It must be the name of the function, as a string.")
	}
	return fault
}

// functions are the older form of tools: one call at a time.
func (r *reading) functions(v jsonvalue.Value) *chat.Fault {
	r.surface.legacy = true
	r.request.ParallelTools = new(bool)
	return v.Array(func(_ int, element jsonvalue.Value) *chat.Fault {
		var tool chat.Tool
		fault := r.function(element, &tool)
		r.request.Tools = append(r.request.Tools, tool)
		return fault
	})
}

func (r *reading) functionCall(v jsonvalue.Value) *chat.Fault {
	if v.Raw[0] == '"' {
		return r.choose(v, "none", "auto")
	}
	return named(v, &r.request.ToolChoice)
}

func (r *reading) toolChoice(v jsonvalue.Value) *chat.Fault {
	if v.Raw[0] == '"' {
		return r.choose(v, "none", "auto", "required")
	}
	var kind string
	var function, allowed jsonvalue.Value
	fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "type":
			return field.OneOf(&kind, "function", "allowed_tools", "custom")
		case "function":
			function = field
		case "allowed_tools":
			allowed = field
		}
		return nil
	})
	switch {
	case fault != nil:
		return fault
	case kind == "allowed_tools":
		return r.allowedTools(v.Child("allowed_tools", allowed.Raw))
	case kind == "custom":
		r.request.Lossy.Add(v.Path() + ".custom")
		return nil
	}
	return named(v.Child("function", function.Raw), &r.request.ToolChoice)
}

func (r *reading) choose(v jsonvalue.Value, words ...string) *chat.Fault {
	var word string
	if fault := v.OneOf(&word, words...); fault != nil {
		return fault
	}
	r.request.ToolChoice.Choose = map[string]chat.Choose{"none": chat.Never, "auto": chat.Auto, "required": chat.Any}[word]
	return nil
}

// named reads the object that names a function.
func named(v jsonvalue.Value, choice *chat.ToolChoice) *chat.Fault {
	choice.Choose = chat.Named
	fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		if name == "name" {
			return field.Text(&choice.Name)
		}
		return nil
	})
	if fault == nil && choice.Name == "" {
		fault = v.Child("name", nil).Fault("It must be the name of the function, as a string.")
	}
	return fault
}

// allowedTools leaves a part of the tools: the others are not offered.
func (r *reading) allowedTools(v jsonvalue.Value) *chat.Fault {
	r.allowed = make(map[string]bool)
	var mode string
	var tools jsonvalue.Value
	fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "mode":
			mode = string(field.Raw)
			return r.choose(field, "auto", "required")
		case "tools":
			tools = field
		}
		return nil
	})
	if fault != nil {
		return fault
	}
	if mode == "" {
		return v.Child("mode", nil).Fault("It must be one of: auto, required.")
	}
	return v.Child("tools", tools.Raw).Array(r.allowedTool)
}

func (r *reading) allowedTool(_ int, v jsonvalue.Value) *chat.Fault {
	var choice chat.ToolChoice
	fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		if name == "function" {
			return named(field, &choice)
		}
		return nil
	})
	r.allowed[choice.Name] = true
	return fault
}

// allow takes out the tools that tool_choice does not allow.
func (r *reading) allow() *chat.Fault {
	if r.allowed == nil {
		return nil
	}
	kept := r.request.Tools[:0]
	for _, tool := range r.request.Tools {
		if r.allowed[tool.Name] {
			kept = append(kept, tool)
		}
	}
	r.request.Tools = kept
	if len(kept) == 0 {
		return &chat.Fault{Field: "tool_choice.allowed_tools.tools", Message: "It must name at least one of the request's function tools."}
	}
	return nil
}

// cacheControl is Anthropic's mark, which clients of several providers write.
func (r *reading) cacheControl(v jsonvalue.Value, into **chat.CacheMark) *chat.Fault {
	mark := &chat.CacheMark{}
	*into = mark
	return v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		if name == "ttl" {
			return field.OneOf(&mark.TTL, "5m", "1h")
		}
		return nil
	})
}
