package responses

import (
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

type value = jsonvalue.Value

// topReaders are the fields of a request that the model has a place for, and those that
// need state.
var topReaders = map[string]func(*reading, value) *chat.Fault{
	"model":        func(r *reading, v value) *chat.Fault { return v.Text(&r.request.Model) },
	"stream":       func(r *reading, v value) *chat.Fault { return v.Boolean(&r.request.Stream) },
	"instructions": (*reading).instructions,
	"input":        (*reading).readInput,

	"tools":               (*reading).tools,
	"tool_choice":         (*reading).toolChoice,
	"parallel_tool_calls": func(r *reading, v value) *chat.Fault { return v.Optional(&r.request.ParallelTools) },

	"text":              (*reading).text,
	"reasoning":         (*reading).reasoning,
	"max_output_tokens": func(r *reading, v value) *chat.Fault { return v.Whole(1, &r.request.MaxOutput) },
	"temperature":       func(r *reading, v value) *chat.Fault { return v.Number(&r.request.Sampling.Temperature) },
	"top_p":             func(r *reading, v value) *chat.Fault { return v.Number(&r.request.Sampling.TopP) },
	"top_logprobs":      func(r *reading, v value) *chat.Fault { return v.Whole(0, &r.request.TopLogprobs) },
	"include":           (*reading).include,

	"user":              func(r *reading, v value) *chat.Fault { return v.Text(&r.user) },
	"safety_identifier": func(r *reading, v value) *chat.Fault { return v.Text(&r.request.User) },
	"service_tier":      func(r *reading, v value) *chat.Fault { return v.Text(&r.request.ServiceTier) },
	"metadata":          (*reading).metadata,
	"stream_options":    (*reading).streamOptions,
	"truncation":        (*reading).truncation,
	"store":             (*reading).store,
	"background":        (*reading).background,

	"previous_response_id": refused,
	"conversation":         refused,
	"prompt":               refused,
}

func refused(_ *reading, v value) *chat.Fault {
	return v.Fault("The provider of this route keeps no responses, conversations or prompts. Send the whole conversation as input.")
}

func (r *reading) instructions(v value) *chat.Fault {
	var text string
	fault := v.Text(&text)
	if text != "" { // ahead of instructions in the input
		r.request.System = append([]chat.Part{{Kind: chat.Text, Text: text}}, r.request.System...)
	}
	return fault
}

func (r *reading) text(v value) *chat.Fault {
	return v.Object(func(name string, field value) *chat.Fault {
		if name == "format" {
			return r.format(field)
		}
		r.lost.Note(v.Path(), name)
		return nil
	})
}

func (r *reading) format(v value) *chat.Fault {
	format := &r.request.Format
	var kind string
	fault := v.Object(func(name string, field value) *chat.Fault {
		switch name {
		case "type":
			return field.OneOf(&kind, "text", "json_object", "json_schema")
		case "name":
			return field.Text(&format.Name)
		case "description":
			return field.Text(&format.Description)
		case "schema":
			return field.JSON(&format.Schema)
		case "strict":
			return field.Optional(&format.Strict)
		}
		r.lost.Note(v.Path(), name)
		return nil
	})
	switch kind {
	case "json_object":
		format.Shape = chat.JSONObject
	case "json_schema":
		format.Shape = chat.JSONSchema
		if fault == nil && format.Schema == "" {
			fault = v.Child("schema", nil).Fault("It must be a JSON schema, an object.")
		}
	}
	return fault
}

func (r *reading) reasoning(v value) *chat.Fault {
	reasoning := &r.request.Reasoning
	return v.Object(func(name string, field value) *chat.Fault {
		var summary string
		switch name {
		case "effort":
			return field.OneOf(&reasoning.Effort, "none", "minimal", "low", "medium", "high", "xhigh", "max")
		case "summary", "generate_summary":
			reasoning.Summary = true
			return field.OneOf(&summary, "auto", "concise", "detailed")
		}
		r.lost.Note(v.Path(), name)
		return nil
	})
}

// include asks for more in the answer: encrypted_content is always there.
func (r *reading) include(v value) *chat.Fault {
	return v.Array(func(_ int, element value) *chat.Fault {
		var what string
		fault := element.Text(&what)
		switch what {
		case "reasoning.encrypted_content":
		case "message.output_text.logprobs":
			r.request.Logprobs = true
		default:
			r.lost.Note("include", what)
		}
		return fault
	})
}

func (r *reading) metadata(v value) *chat.Fault {
	r.request.Metadata = make(map[string]string)
	return v.Object(func(name string, field value) *chat.Fault {
		var text string
		if field.Text(&text) != nil {
			return v.Fault("It must be an object of strings.")
		}
		r.request.Metadata[name] = text
		return nil
	})
}

func (r *reading) streamOptions(v value) *chat.Fault {
	return v.Object(func(name string, _ value) *chat.Fault {
		if name != "include_obfuscation" { // hides the sizes of OpenAI's events: there are none
			r.lost.Note(v.Path(), name)
		}
		return nil
	})
}

// truncation that is disabled is what every other provider does.
func (r *reading) truncation(v value) *chat.Fault {
	var how string
	fault := v.OneOf(&how, "auto", "disabled")
	if how == "auto" {
		r.lost.Note("", "truncation")
	}
	return fault
}

func (r *reading) store(v value) *chat.Fault {
	var store bool
	fault := v.Boolean(&store)
	if store {
		r.lost.Note("", "store")
	}
	return fault
}

func (r *reading) background(v value) *chat.Fault {
	var background bool
	if fault := v.Boolean(&background); fault != nil || !background {
		return fault
	}
	return refused(r, v)
}
