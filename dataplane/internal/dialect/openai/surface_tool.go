package openai

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

func (r *reading) tools(v value) *chat.Fault {
	return v.array(func(_ int, element value) *chat.Fault {
		var kind string
		var function value
		var mark *chat.CacheMark
		fault := element.object(func(name string, field value) *chat.Fault {
			switch name {
			case "type":
				return field.text(&kind)
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
		fault = r.function(element.child("function", function.raw), &tool)
		r.request.Tools = append(r.request.Tools, tool)
		return fault
	})
}

func (r *reading) function(v value, tool *chat.Tool) *chat.Fault {
	fault := v.object(func(name string, field value) *chat.Fault {
		switch name {
		case "name":
			return field.text(&tool.Name)
		case "description":
			return field.text(&tool.Description)
		case "parameters":
			return field.json(&tool.Schema)
		case "strict":
			return field.optional(&tool.Strict)
		}
		r.lose("tools.function", name)
		return nil
	})
	if fault == nil && tool.Name == "" {
		fault = v.child("name", nil).fault("It must be the name of the function, as a string.")
	}
	return fault
}

// functions are the older form of tools: one call at a time.
func (r *reading) functions(v value) *chat.Fault {
	r.surface.legacy = true
	r.request.ParallelTools = new(bool)
	return v.array(func(_ int, element value) *chat.Fault {
		var tool chat.Tool
		fault := r.function(element, &tool)
		r.request.Tools = append(r.request.Tools, tool)
		return fault
	})
}

func (r *reading) functionCall(v value) *chat.Fault {
	if v.raw[0] == '"' {
		return r.choose(v, "none", "auto")
	}
	return v.named(&r.request.ToolChoice)
}

func (r *reading) toolChoice(v value) *chat.Fault {
	if v.raw[0] == '"' {
		return r.choose(v, "none", "auto", "required")
	}
	var kind string
	var function, allowed value
	fault := v.object(func(name string, field value) *chat.Fault {
		switch name {
		case "type":
			return field.oneOf(&kind, "function", "allowed_tools", "custom")
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
		return r.allowedTools(v.child("allowed_tools", allowed.raw))
	case kind == "custom":
		r.request.Lossy.Add(v.path() + ".custom")
		return nil
	}
	return v.child("function", function.raw).named(&r.request.ToolChoice)
}

func (r *reading) choose(v value, words ...string) *chat.Fault {
	var word string
	if fault := v.oneOf(&word, words...); fault != nil {
		return fault
	}
	r.request.ToolChoice.Choose = map[string]chat.Choose{"none": chat.Never, "auto": chat.Auto, "required": chat.Any}[word]
	return nil
}

// named reads the object that names a function.
func (v value) named(choice *chat.ToolChoice) *chat.Fault {
	choice.Choose = chat.Named
	fault := v.object(func(name string, field value) *chat.Fault {
		if name == "name" {
			return field.text(&choice.Name)
		}
		return nil
	})
	if fault == nil && choice.Name == "" {
		fault = v.child("name", nil).fault("It must be the name of the function, as a string.")
	}
	return fault
}

// allowedTools leaves a part of the tools: the others are not offered.
func (r *reading) allowedTools(v value) *chat.Fault {
	r.allowed = make(map[string]bool)
	var mode string
	var tools value
	fault := v.object(func(name string, field value) *chat.Fault {
		switch name {
		case "mode":
			mode = string(field.raw)
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
		return v.child("mode", nil).fault("It must be one of: auto, required.")
	}
	return v.child("tools", tools.raw).array(r.allowedTool)
}

func (r *reading) allowedTool(_ int, v value) *chat.Fault {
	var choice chat.ToolChoice
	fault := v.object(func(name string, field value) *chat.Fault {
		if name == "function" {
			return field.named(&choice)
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
func (r *reading) cacheControl(v value, into **chat.CacheMark) *chat.Fault {
	mark := &chat.CacheMark{}
	*into = mark
	return v.object(func(name string, field value) *chat.Fault {
		if name == "ttl" {
			return field.oneOf(&mark.TTL, "5m", "1h")
		}
		return nil
	})
}
