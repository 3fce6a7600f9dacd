package gemini

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonout"
)

func (w *writer) tools() {
	r := w.request
	if len(r.Tools) == 0 {
		return
	}
	w.open("tools", '[')
	w.item('{')
	w.open("functionDeclarations", '[')
	for i := range r.Tools {
		w.tool(i, &r.Tools[i])
	}
	w.end(']')
	w.end('}')
	w.end(']')
	if r.ParallelTools != nil && !*r.ParallelTools {
		w.lossy.Add("parallel_tools")
	}
	w.toolChoice()
}

func (w *writer) tool(at int, tool *chat.Tool) {
	if tool.Cache != nil {
		w.lossy.Add("tools.cache")
	}
	if tool.Strict != nil && *tool.Strict {
		w.lossy.Add("tools.strict")
	}
	if tool.Schema != "" && !isObject([]byte(tool.Schema)) {
		w.refuse("tools["+strconv.Itoa(at)+"].schema", "It is not a JSON object.")
	}
	w.item('{')
	w.text("name", tool.Name)
	w.said("description", tool.Description)
	w.raw("parametersJsonSchema", tool.Schema)
	w.end('}')
}

var modes = map[chat.Choose]string{chat.Auto: "AUTO", chat.Never: "NONE", chat.Any: "ANY", chat.Named: "ANY"}

func (w *writer) toolChoice() {
	choice := w.request.ToolChoice
	mode, ok := modes[choice.Choose]
	if !ok {
		return
	}
	w.open("toolConfig", '{')
	w.open("functionCallingConfig", '{')
	w.text("mode", mode)
	if choice.Choose == chat.Named {
		w.strings("allowedFunctionNames", []string{choice.Name})
	}
	w.end('}')
	w.end('}')
}

func (o *out) strings(name string, values []string) {
	if len(values) == 0 {
		return
	}
	o.open(name, '[')
	for _, value := range values {
		o.comma()
		o.b = jsonout.AppendString(o.b, value)
	}
	o.end(']')
}

// config writes generationConfig, or nothing where nothing was said.
func (w *writer) config() {
	r, start := w.request, len(w.b)
	w.open(generation, '{')
	empty := len(w.b)
	w.counted("candidateCount", r.N)
	w.strings("stopSequences", r.Stop)
	w.counted("maxOutputTokens", r.MaxOutput)
	w.raw("temperature", r.Sampling.Temperature)
	w.raw("topP", r.Sampling.TopP)
	w.raw("topK", r.Sampling.TopK)
	w.raw("presencePenalty", r.Sampling.PresencePenalty)
	w.raw("frequencyPenalty", r.Sampling.FrequencyPenalty)
	w.seed()
	if r.Logprobs {
		w.raw("responseLogprobs", "true")
		w.counted("logprobs", r.TopLogprobs)
	}
	w.format()
	w.thinking()
	if len(w.b) == empty {
		w.b = w.b[:start]
		return
	}
	w.end('}')
}

// seed is an int32.
func (w *writer) seed() {
	seed := w.request.Sampling.Seed
	if _, err := strconv.ParseInt(seed, 10, 32); seed != "" && err != nil {
		w.lossy.Add("seed")
		return
	}
	w.raw("seed", seed)
}

func (w *writer) format() {
	format := w.request.Format
	if format.Shape == chat.Free {
		return
	}
	if format.Description != "" {
		w.lossy.Add("format.description")
	}
	w.text("responseMimeType", "application/json")
	if format.Shape == chat.JSONSchema && format.Schema != "" {
		if !isObject([]byte(format.Schema)) {
			w.refuse("format.schema", "It is not a JSON object.")
		}
		w.raw("responseJsonSchema", format.Schema)
	}
}

// budgets are what Google takes OpenAI's words for, with models that count tokens:
// https://ai.google.dev/gemini-api/docs/openai#thinking
var budgets = map[string]int64{"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}

// thinkingLevels are the words of models that have some; none of them is for not thinking.
var thinkingLevels = map[string]string{"none": "MINIMAL", "minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "HIGH", "max": "HIGH"}

func (w *writer) thinking() {
	reasoning := w.request.Reasoning
	if reasoning == (chat.Reasoning{}) {
		return
	}
	w.open("thinkingConfig", '{')
	if reasoning.Summary {
		w.raw("includeThoughts", "true")
	}
	switch {
	case reasoning.Budget != 0: // both together are refused upstream
		w.number("thinkingBudget", reasoning.Budget)
		if reasoning.Effort != "" {
			w.lossy.Add("reasoning.effort")
		}
	case reasoning.Effort == "":
	case !modern(w.request.Model):
		w.budget(reasoning.Effort)
	default:
		w.level(reasoning.Effort)
	}
	w.end('}')
}

func (w *writer) budget(effort string) {
	budget, ok := budgets[effort]
	if !ok || effort == "xhigh" || effort == "max" {
		w.lossy.Add("reasoning.effort")
	}
	if ok {
		w.number("thinkingBudget", budget)
	}
}

func (w *writer) level(effort string) {
	level, ok := thinkingLevels[effort]
	if level == "MINIMAL" && strings.Contains(w.request.Model, "pro") {
		level = "LOW" // the least that the larger models have
	}
	if level != strings.ToUpper(effort) {
		w.lossy.Add("reasoning.effort")
	}
	if ok {
		w.text("thinkingLevel", level)
	}
}

// label is what Google takes as a label's key or value.
var label = regexp.MustCompile(`^[a-z0-9_-]{0,63}$`)

// labels writes metadata as labels where all of it may be.
func (w *writer) labels() {
	if !w.vertex {
		w.lossy.Add("metadata")
		return
	}
	keys := make([]string, 0, len(w.request.Metadata))
	for key, value := range w.request.Metadata {
		if key == "" || !label.MatchString(key) || !label.MatchString(value) {
			w.lossy.Add("metadata")
			return
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	w.open("labels", '{')
	for _, key := range keys {
		w.text(key, w.request.Metadata[key])
	}
	w.end('}')
}
