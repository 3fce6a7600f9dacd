package openai

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

// topReaders are the fields of a request that the model has a place for. Names:
// https://platform.openai.com/docs/api-reference/chat/create; top_k is of compatible
// servers, thinking of https://docs.claude.com/en/api/openai-sdk.
var topReaders = map[string]func(*reading, value) *chat.Fault{
	"model":    func(r *reading, v value) *chat.Fault { return v.text(&r.request.Model) },
	"messages": (*reading).messages,
	"stream":   func(r *reading, v value) *chat.Fault { return v.boolean(&r.request.Stream) },

	"stream_options": (*reading).streamOptions,

	"tools":               (*reading).tools,
	"tool_choice":         (*reading).toolChoice,
	"parallel_tool_calls": func(r *reading, v value) *chat.Fault { return v.optional(&r.request.ParallelTools) },
	"functions":           (*reading).functions,
	"function_call":       (*reading).functionCall,

	"response_format":       (*reading).responseFormat,
	"max_completion_tokens": func(r *reading, v value) *chat.Fault { return v.whole(1, &r.request.MaxOutput) },
	"max_tokens":            func(r *reading, v value) *chat.Fault { return v.whole(1, &r.olderCap) },
	"reasoning_effort":      func(r *reading, v value) *chat.Fault { return v.oneOf(&r.request.Reasoning.Effort, efforts...) },
	"thinking":              (*reading).thinking,

	"temperature":       func(r *reading, v value) *chat.Fault { return v.number(&r.request.Sampling.Temperature) },
	"top_p":             func(r *reading, v value) *chat.Fault { return v.number(&r.request.Sampling.TopP) },
	"top_k":             func(r *reading, v value) *chat.Fault { return v.number(&r.request.Sampling.TopK) },
	"presence_penalty":  func(r *reading, v value) *chat.Fault { return v.number(&r.request.Sampling.PresencePenalty) },
	"frequency_penalty": func(r *reading, v value) *chat.Fault { return v.number(&r.request.Sampling.FrequencyPenalty) },
	"seed":              func(r *reading, v value) *chat.Fault { return v.number(&r.request.Sampling.Seed) },

	"stop":         (*reading).stop,
	"n":            func(r *reading, v value) *chat.Fault { return v.whole(1, &r.request.N) },
	"logprobs":     func(r *reading, v value) *chat.Fault { return v.boolean(&r.request.Logprobs) },
	"top_logprobs": func(r *reading, v value) *chat.Fault { return v.whole(0, &r.request.TopLogprobs) },

	"user":              func(r *reading, v value) *chat.Fault { return v.text(&r.olderUser) },
	"safety_identifier": func(r *reading, v value) *chat.Fault { return v.text(&r.request.User) },
	"service_tier":      func(r *reading, v value) *chat.Fault { return v.text(&r.request.ServiceTier) },
	"metadata":          (*reading).metadata,
	"modalities":        (*reading).modalities,
	"store":             (*reading).store,
}

var efforts = []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

func (r *reading) streamOptions(v value) *chat.Fault {
	return v.object(func(name string, field value) *chat.Fault {
		switch name {
		case "include_usage":
			return field.boolean(&r.surface.asksUsage)
		case "include_obfuscation": // hides the sizes of OpenAI's events: there are none
		default:
			r.lose(v.path(), name)
		}
		return nil
	})
}

func (r *reading) responseFormat(v value) *chat.Fault {
	format := &r.request.Format
	var kind string
	var schema value
	fault := v.object(func(name string, field value) *chat.Fault {
		switch name {
		case "type":
			return field.oneOf(&kind, "text", "json_object", "json_schema")
		case "json_schema":
			schema = field
			return nil
		}
		r.lose(v.path(), name)
		return nil
	})
	switch {
	case fault != nil:
		return fault
	case kind == "json_object":
		format.Shape = chat.JSONObject
	case kind == "json_schema":
		format.Shape = chat.JSONSchema
		return r.jsonSchema(v.child("json_schema", schema.raw))
	}
	return nil
}

func (r *reading) jsonSchema(v value) *chat.Fault {
	format := &r.request.Format
	return v.object(func(name string, field value) *chat.Fault {
		switch name {
		case "name":
			return field.text(&format.Name)
		case "description":
			return field.text(&format.Description)
		case "schema":
			return field.json(&format.Schema)
		case "strict":
			return field.optional(&format.Strict)
		}
		r.lose(v.path(), name)
		return nil
	})
}

// thinking wants to be seen: who asks for it in this way reads it.
func (r *reading) thinking(v value) *chat.Fault {
	var kind string
	reasoning := &r.request.Reasoning
	fault := v.object(func(name string, field value) *chat.Fault {
		switch name {
		case "type":
			return field.oneOf(&kind, "enabled", "adaptive", "disabled")
		case "budget_tokens":
			return field.whole(1, &reasoning.Budget)
		}
		r.lose(v.path(), name)
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

func (r *reading) stop(v value) *chat.Fault {
	if v.raw[0] == '"' {
		r.request.Stop = make([]string, 1)
		return v.text(&r.request.Stop[0])
	}
	return v.array(func(_ int, element value) *chat.Fault {
		var sequence string
		fault := element.text(&sequence)
		r.request.Stop = append(r.request.Stop, sequence)
		return fault
	})
}

func (r *reading) metadata(v value) *chat.Fault {
	r.request.Metadata = make(map[string]string)
	return v.object(func(name string, field value) *chat.Fault {
		var text string
		fault := field.text(&text)
		r.request.Metadata[name] = text
		if fault != nil {
			return v.fault("It must be an object of strings.")
		}
		return nil
	})
}

func (r *reading) modalities(v value) *chat.Fault {
	return v.array(func(_ int, element value) *chat.Fault {
		var modality string
		fault := element.text(&modality)
		if fault == nil && modality != "text" {
			r.request.Lossy.Add(v.path())
		}
		return fault
	})
}

// store of false is what every other provider does.
func (r *reading) store(v value) *chat.Fault {
	var store bool
	fault := v.boolean(&store)
	if store {
		r.request.Lossy.Add(v.path())
	}
	return fault
}
