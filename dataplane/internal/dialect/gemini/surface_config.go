package gemini

import (
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// config takes over one field of generationConfig.
func (r *reader) config(name string, value []byte) {
	at, request := generation+"."+name, r.request
	switch name {
	case "candidateCount":
		request.N = r.positive(at, value)
	case "stopSequences":
		request.Stop = r.texts(at, value)
	case "maxOutputTokens":
		request.MaxOutput = r.positive(at, value)
	case "responseLogprobs":
		request.Logprobs = r.flag(at, value)
	case "logprobs":
		request.TopLogprobs = r.whole(at, value)
	case "responseMimeType", "responseSchema", "responseJsonSchema", "_responseJsonSchema":
		r.shape(at, name, value)
	case "thinkingConfig":
		r.fields(at, value, r.thinking)
	case "responseModalities":
		r.modalities(at, value)
	default:
		if field := r.sampling(name); field != nil {
			*field = r.number(at, value)
			return
		}
		r.drop(generation, name)
	}
}

func (r *reader) sampling(name string) *string {
	sampling := &r.request.Sampling
	switch name {
	case "temperature":
		return &sampling.Temperature
	case "topP":
		return &sampling.TopP
	case "topK":
		return &sampling.TopK
	case "presencePenalty":
		return &sampling.PresencePenalty
	case "frequencyPenalty":
		return &sampling.FrequencyPenalty
	case "seed":
		return &sampling.Seed
	}
	return nil
}

func (r *reader) shape(at, name string, value []byte) {
	format := &r.request.Format
	switch name {
	case "responseMimeType":
		switch r.text(at, value) {
		case "application/json":
			r.json = true
		case "", "text/plain":
		default: // text/x.enum
			r.drop(generation, name)
		}
	case "responseSchema":
		format.Schema = r.schema(at, at, value)
	default:
		format.Schema = r.object(at, value)
	}
}

// format puts type and schema together: a schema counts only for JSON.
func (r *reader) format() {
	format := &r.request.Format
	switch {
	case format.Schema != "" && r.json:
		format.Shape = chat.JSONSchema
	case r.json:
		format.Shape = chat.JSONObject
	case format.Schema != "":
		format.Schema = ""
		r.drop(generation, "responseSchema")
	}
}

func (r *reader) thinking(name string, value []byte) {
	at, reasoning := generation+".thinkingConfig."+name, &r.request.Reasoning
	switch name {
	case "includeThoughts":
		reasoning.Summary = r.flag(at, value)
	case "thinkingBudget":
		switch budget := r.whole(at, value); {
		case budget == 0:
			reasoning.Effort = "none"
		case budget < chat.Unbounded:
			r.wrong(at, "It is less than -1, which leaves the budget to the model.")
		default:
			reasoning.Budget = budget
		}
	case "thinkingLevel":
		if level := strings.ToLower(r.text(at, value)); level != "thinking_level_unspecified" {
			reasoning.Effort = level
		}
	default:
		r.drop(generation+".thinkingConfig", name)
	}
}

// modalities may ask for text, which is what a chat gives.
func (r *reader) modalities(at string, value []byte) {
	for _, modality := range r.texts(at, value) {
		if !strings.EqualFold(modality, "TEXT") {
			r.drop(generation, "responseModalities")
		}
	}
}
