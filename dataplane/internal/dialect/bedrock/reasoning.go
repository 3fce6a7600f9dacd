package bedrock

import (
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/claude"
)

// think decides how the model is asked to.
func (w *writer) think() {
	r := &w.request.Reasoning
	switch w.model.family {
	case claudeModels:
		forced := w.choice.Choose == chat.Any || w.choice.Choose == chat.Named
		thinking, lossy := claude.Think(w.request, forced)
		for _, field := range lossy {
			w.lossy.Add(field)
		}
		w.thinking, w.effort = thinking, thinking.Effort
	case nova2, gptOSS:
	case unnamed:
		if r.Budget != 0 {
			w.lossy.Add("reasoning.budget")
		}
		switch r.Effort {
		case "none":
			w.lossy.Add("reasoning.effort")
		case "minimal":
			w.lossy.Add("reasoning.effort")
			w.effort = "low"
		default:
			w.effort = r.Effort
		}
	default:
		if r.Budget != 0 {
			w.lossy.Add("reasoning.budget")
		}
		w.leave("reasoning.effort", r.Effort)
	}
}

// output writes the effort and the format of the answer. A schema is JSON in a string.
func (w *writer) output() {
	f := &w.request.Format
	native := f.Shape == chat.JSONSchema && w.emulated == "" && w.model.formats()
	if f.Shape != chat.Free && w.emulated == "" && !native {
		w.lossy.Add("format")
	}
	w.field("outputConfig", func() {
		w.Said("effort", w.effort)
		if !native {
			return
		}
		if f.Strict != nil && !*f.Strict {
			w.lossy.Add("format.strict")
		}
		schema := f.Schema
		if schema == "" {
			schema = `{"type":"object"}`
		}
		w.Open("textFormat", '{')
		w.Text("type", "json_schema")
		w.Open("structure", '{')
		w.Open("jsonSchema", '{')
		w.Said("name", f.Name)
		w.Said("description", f.Description)
		w.Text("schema", schema)
		w.End("}}}")
	})
}

// additional writes what only models of one maker take, and asks for what only they tell.
func (w *writer) additional() {
	topK := w.request.Sampling.TopK
	w.field("additionalModelRequestFields", func() {
		switch w.model.family {
		case claudeModels:
			w.claudeThinking()
			if w.thinking.On || !w.model.generation.Samples() {
				w.leave("top_k", topK)
			} else {
				w.Raw("top_k", topK)
			}
		case nova, nova2:
			w.novaReasoning()
			w.field("inferenceConfig", func() { w.Raw("topK", topK) })
		default:
			w.leave("top_k", topK)
			if w.model.family == gptOSS {
				w.Said("reasoning_effort", w.level())
			}
		}
	})
	if len(w.request.Stop) > 0 && w.model.family == claudeModels {
		w.Texts("additionalModelResponseFieldPaths", []string{"/stop_sequence"})
	}
}

// claudeThinking is as Anthropic has it.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html
func (w *writer) claudeThinking() {
	t := &w.thinking
	if !t.On && !t.Off {
		return
	}
	w.Open("thinking", '{')
	switch {
	case t.Off:
		w.Text("type", "disabled")
	case t.Budget > 0:
		w.Text("type", "enabled")
		w.Number("budget_tokens", t.Budget)
	default:
		w.Text("type", "adaptive")
	}
	if t.On && w.request.Reasoning.Summary {
		w.Text("display", "summarized")
	}
	w.End("}")
}

// novaReasoning asks for it by levels. The highest allows no bound of the output and no
// sampling, which are kept in its place.
// Source: https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
func (w *writer) novaReasoning() {
	r := w.request
	if w.model.family != nova2 || r.Reasoning.Effort == "none" || r.Reasoning.Effort == "" && r.Reasoning.Budget == 0 {
		return // it does not think unless asked
	}
	level := w.level()
	if level == "high" && (r.MaxOutput > 0 || r.Sampling.Temperature != "" || r.Sampling.TopP != "") {
		w.lossy.Add("reasoning.effort")
		level = "medium"
	}
	w.Open("reasoningConfig", '{')
	w.Text("type", "enabled")
	w.Text("maxReasoningEffort", level)
	w.End("}")
}

var levels = map[string]string{"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}

// level is one of three, or empty: not said. A budget has no other place than the middle.
func (w *writer) level() string {
	r := &w.request.Reasoning
	if r.Budget > 0 {
		w.lossy.Add("reasoning.budget")
	}
	if r.Effort == "" && r.Budget != 0 {
		return "medium"
	}
	level := levels[r.Effort]
	if level != r.Effort {
		w.lossy.Add("reasoning.effort")
	}
	return level
}
