package openai

import (
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// topReaders are the fields of a request that the model has a place for. Names:
// https://platform.openai.com/docs/api-reference/chat/create; top_k is of compatible
// servers, thinking of https://docs.claude.com/en/api/openai-sdk.
var topReaders = map[string]func(*reading, jsonvalue.Value) *chat.Fault{
	"model":    func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Text(&r.request.Model) },
	"messages": (*reading).messages,
	"stream":   func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Boolean(&r.request.Stream) },

	"stream_options": (*reading).streamOptions,

	"tools":               (*reading).tools,
	"tool_choice":         (*reading).toolChoice,
	"parallel_tool_calls": func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Optional(&r.request.ParallelTools) },
	"functions":           (*reading).functions,
	"function_call":       (*reading).functionCall,

	"response_format":       (*reading).responseFormat,
	"max_completion_tokens": func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Whole(1, &r.request.MaxOutput) },
	"max_tokens":            func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Whole(1, &r.olderCap) },
	"reasoning_effort": func(r *reading, v jsonvalue.Value) *chat.Fault {
		return v.OneOf(&r.request.Reasoning.Effort, efforts...)
	},
	"thinking": (*reading).thinking,

	"temperature":       func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Number(&r.request.Sampling.Temperature) },
	"top_p":             func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Number(&r.request.Sampling.TopP) },
	"top_k":             func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Number(&r.request.Sampling.TopK) },
	"presence_penalty":  func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Number(&r.request.Sampling.PresencePenalty) },
	"frequency_penalty": func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Number(&r.request.Sampling.FrequencyPenalty) },
	"seed":              func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Number(&r.request.Sampling.Seed) },

	"stop":         (*reading).stop,
	"n":            func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Whole(1, &r.request.N) },
	"logprobs":     func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Boolean(&r.request.Logprobs) },
	"top_logprobs": func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Whole(0, &r.request.TopLogprobs) },

	"user":              func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Text(&r.olderUser) },
	"safety_identifier": func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Text(&r.request.User) },
	"service_tier":      func(r *reading, v jsonvalue.Value) *chat.Fault { return v.Text(&r.request.ServiceTier) },
	"metadata":          (*reading).metadata,
	"modalities":        (*reading).modalities,
	"store":             (*reading).store,
}

var efforts = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

func (r *reading) streamOptions(v jsonvalue.Value) *chat.Fault {
	return v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "include_usage":
			return field.Boolean(&r.surface.asksUsage)
		case "include_obfuscation": // hides the sizes of OpenAI's events: there are none
		default:
			r.lose(v.Path(), name)
		}
		return nil
	})
}

func (r *reading) responseFormat(v jsonvalue.Value) *chat.Fault {
	format := &r.request.Format
	var kind string
	var schema jsonvalue.Value
	fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "type":
			return field.OneOf(&kind, "text", "json_object", "json_schema")
		case "json_schema":
			schema = field
			return nil
		}
		r.lose(v.Path(), name)
		return nil
	})
	switch {
	case fault != nil:
		return fault
	case kind == "json_object":
		format.Shape = chat.JSONObject
	case kind == "json_schema":
		format.Shape = chat.JSONSchema
		return r.jsonSchema(v.Child("json_schema", schema.Raw))
	}
	return nil
}

func (r *reading) jsonSchema(v jsonvalue.Value) *chat.Fault {
	format := &r.request.Format
	return v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "name":
			return field.Text(&format.Name)
		case "description":
			return field.Text(&format.Description)
		case "schema":
			return field.JSON(&format.Schema)
		case "strict":
			return field.Optional(&format.Strict)
		}
		r.lose(v.Path(), name)
		return nil
	})
}

// thinking wants to be seen: who asks for it in this way reads it.
func (r *reading) thinking(v jsonvalue.Value) *chat.Fault {
	var kind string
	reasoning := &r.request.Reasoning
	fault := v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		switch name {
		case "type":
			return field.OneOf(&kind, "enabled", "adaptive", "disabled")
		case "budget_tokens":
			return field.Whole(1, &reasoning.Budget)
		}
		r.lose(v.Path(), name)
		return nil
	})
	switch {
	case fault != nil:
		return fault
	case kind == "disabled":
		reasoning.Effort, reasoning.Budget = "none", 0
		return nil
	case reasoning.Budget == 0:
		reasoning.Budget = chat.Unbounded
	}
	reasoning.Summary = true
	return nil
}

func (r *reading) stop(v jsonvalue.Value) *chat.Fault {
	if v.Raw[0] == '"' {
		r.request.Stop = make([]string, 1)
		return v.Text(&r.request.Stop[0])
	}
	return v.Array(func(_ int, element jsonvalue.Value) *chat.Fault {
		var sequence string
		fault := element.Text(&sequence)
		r.request.Stop = append(r.request.Stop, sequence)
		return fault
	})
}

func (r *reading) metadata(v jsonvalue.Value) *chat.Fault {
	r.request.Metadata = make(map[string]string)
	return v.Object(func(name string, field jsonvalue.Value) *chat.Fault {
		var text string
		fault := field.Text(&text)
		r.request.Metadata[name] = text
		if fault != nil {
			return v.Fault("It must be an object of strings.")
		}
		return nil
	})
}

func (r *reading) modalities(v jsonvalue.Value) *chat.Fault {
	return v.Array(func(_ int, element jsonvalue.Value) *chat.Fault {
		var modality string
		fault := element.Text(&modality)
		if fault == nil && modality != "text" {
			r.request.Lossy.Add(v.Path())
		}
		return fault
	})
}

// store of false is what every other provider does.
func (r *reading) store(v jsonvalue.Value) *chat.Fault {
	var store bool
	fault := v.Boolean(&store)
	if store {
		r.request.Lossy.Add(v.Path())
	}
	return fault
}
