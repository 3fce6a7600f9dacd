package gemini

import (
	"slices"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

func (r *reader) tool(at string, value []byte) {
	r.fields(at, value, func(name string, value []byte) {
		if name != "functionDeclarations" { // Google's own: searches, code, maps
			r.drop("tools", name)
			return
		}
		r.list(at+"."+name, value, r.declaration)
	})
}

func (r *reader) declaration(at string, value []byte) {
	var tool chat.Tool
	r.fields(at, value, func(name string, value []byte) {
		switch at := at + "." + name; name {
		case "name":
			tool.Name = r.text(at, value)
		case "description":
			tool.Description = r.text(at, value)
		case "parameters":
			tool.Schema = r.schema(at, "tools.functionDeclarations.parameters", value)
		case "parametersJsonSchema":
			tool.Schema = r.object(at, value)
		default:
			r.drop("tools.functionDeclarations", name)
		}
	})
	if tool.Name == "" {
		r.wrong(at+".name", "It is missing: a name for the function is wanted.")
	}
	r.request.Tools = append(r.request.Tools, tool)
}

func (r *reader) toolConfig(name string, value []byte) {
	if name != "functionCallingConfig" {
		r.drop("toolConfig", name)
		return
	}
	at := "toolConfig." + name
	r.fields(at, value, func(name string, value []byte) {
		switch name {
		case "mode":
			r.mode(at, strings.ToUpper(r.text(at+".mode", value)))
		case "allowedFunctionNames":
			r.allowed = r.texts(at+"."+name, value)
		default:
			r.drop(at, name)
		}
	})
}

func (r *reader) mode(at, mode string) {
	choice := &r.request.ToolChoice
	switch mode {
	case "AUTO":
		choice.Choose = chat.Auto
	case "ANY":
		choice.Choose = chat.Any
	case "NONE":
		choice.Choose = chat.Never
	case "VALIDATED": // as AUTO, with arguments that follow the schema
		choice.Choose = chat.Auto
		r.drop(at, "mode")
	case "", "MODE_UNSPECIFIED":
	default:
		r.wrong(at+".mode", "It is none of AUTO, ANY, NONE and VALIDATED.")
	}
}

// onlyAllowed applies allowedFunctionNames: the other tools are not offered at all. One
// that alone has to be called is named.
func (r *reader) onlyAllowed() {
	if len(r.allowed) == 0 {
		return
	}
	choice := &r.request.ToolChoice
	if choice.Choose == chat.Any && len(r.allowed) == 1 {
		choice.Choose, choice.Name = chat.Named, r.allowed[0]
		return
	}
	allowed := make(map[string]bool, len(r.allowed))
	for _, name := range r.allowed {
		allowed[name] = true
	}
	r.request.Tools = slices.DeleteFunc(r.request.Tools, func(t chat.Tool) bool { return !allowed[t.Name] })
}
