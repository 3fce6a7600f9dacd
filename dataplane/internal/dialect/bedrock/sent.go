package bedrock

import (
	"encoding/json"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// besideTools bounds what Anthropic's models are told beside the tools, in tokens.
// Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview (Pricing)
const besideTools = 1000

// Converse reads what the agent itself sends and gets.
type Converse struct{}

// Parse reads a body that Provider.Request wrote.
func (Converse) Parse(body []byte) (dialect.Request, *dialect.Refusal) {
	request := dialect.Request{Choices: 1}
	var space [16]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], body, func(name []byte) {
		switch string(name) {
		case "image", "document", "video":
			request.Opens("") // its caller speaks another dialect
		case "audio":
			request.Opens("")
			request.SendsAudio = true
		}
	})
	if err != nil {
		return request, &dialect.Refusal{Message: err.Error()}
	}
	for _, field := range fields {
		switch string(field.Name) {
		case "inferenceConfig":
			var config struct{ MaxTokens int64 }
			_ = json.Unmarshal(field.Value, &config) // written by Provider
			request.MaxOutput = config.MaxTokens
		case "additionalModelRequestFields":
			var fields struct {
				Thinking struct {
					BudgetTokens int64 `json:"budget_tokens"`
				}
			}
			if _ = json.Unmarshal(field.Value, &fields); fields.Thinking.BudgetTokens > 0 {
				request.Caps.Least = fields.Thinking.BudgetTokens + 1 // as of Anthropic's own
			}
		case "toolConfig":
			request.Beside = besideTools
		case "serviceTier":
			var tier struct{ Type string }
			_ = json.Unmarshal(field.Value, &tier)
			request.ServiceTier = tier.Type
		}
	}
	return request, nil
}

// Answer of 200 is never an error here: those have a status, or are exceptions of a stream.
func (Converse) Answer([]byte) dialect.Answer { return dialect.Answer{} }
