package responses

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

const nameWanted = "It must be the name of the function, as a string."

// tools reads functions; the others are run by OpenAI, or take text.
func (r *reading) tools(v value) *chat.Fault {
	return v.Array(func(_ int, element value) *chat.Fault {
		var kind string
		var tool chat.Tool
		fault := element.Object(func(name string, field value) *chat.Fault {
			switch name {
			case "type":
				return field.Text(&kind)
			case "name":
				return field.Text(&tool.Name)
			case "description":
				return field.Text(&tool.Description)
			case "parameters":
				return field.JSON(&tool.Schema)
			case "strict":
				return field.Optional(&tool.Strict)
			}
			if kind == "function" {
				r.lost.Note("tools", name)
			}
			return nil
		})
		switch {
		case fault != nil:
			return fault
		case kind != "function":
			r.lost.Note("tools", kind)
			return nil
		case tool.Name == "":
			return element.Child("name", nil).Fault(nameWanted)
		}
		r.request.Tools = append(r.request.Tools, tool)
		return nil
	})
}

var chooses = map[string]chat.Choose{"none": chat.Never, "auto": chat.Auto, "required": chat.Any}

func (r *reading) toolChoice(v value) *chat.Fault {
	choice := &r.request.ToolChoice
	if v.Raw[0] == '"' {
		var word string
		fault := v.OneOf(&word, "none", "auto", "required")
		choice.Choose = chooses[word]
		return fault
	}
	var kind, mode, function string
	var tools value
	fault := v.Object(func(name string, field value) *chat.Fault {
		switch name {
		case "type":
			return field.Text(&kind)
		case "name":
			return field.Text(&function)
		case "mode":
			return field.OneOf(&mode, "auto", "required")
		case "tools":
			tools = field
		}
		return nil
	})
	switch {
	case fault != nil:
		return fault
	case kind == "allowed_tools" && mode == "":
		return v.Child("mode", nil).Fault("It must be one of: auto, required.")
	case kind == "allowed_tools":
		choice.Choose, r.allowed = chooses[mode], make(map[string]bool)
		return v.Child("tools", tools.Raw).Array(r.allowedTool)
	case kind != "function":
		r.lost.Note("tool_choice", kind)
		return nil
	case function == "":
		return v.Child("name", nil).Fault(nameWanted)
	}
	choice.Choose, choice.Name = chat.Named, function
	return nil
}

func (r *reading) allowedTool(_ int, v value) *chat.Fault {
	return v.Object(func(name string, field value) *chat.Fault {
		var function string
		if name != "name" {
			return nil
		}
		fault := field.Text(&function)
		r.allowed[function] = true
		return fault
	})
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
	if r.request.Tools = kept; len(kept) == 0 {
		return &chat.Fault{Field: "tool_choice.tools", Message: "It must name at least one of the request's function tools."}
	}
	return nil
}
