package openai

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// Provider is chat completions as upstreams speak it. It is of one attempt.
//
// What it can't carry it names in canonical terms: among others metadata (OpenAI takes it
// with what it stores only), reasoning.budget (an effort stands for it), system (other than
// text), messages.image (of an assistant), messages.document (by URL).
type Provider struct {
	compatible bool
	lossy      chat.Lossy
	stream     following
}

var _ chat.Provider = (*Provider)(nil)

// NewProvider is for OpenAI and Azure.
func NewProvider() *Provider { return &Provider{} }

// NewCompatible is for servers of others. They get max_tokens, which all of them know,
// text as one string, top_k, and what came from such a server: thinking as
// reasoning_content, the signature of a call as extra_content.
func NewCompatible() *Provider { return &Provider{compatible: true} }

// Request writes the body for a model. A stream is asked for its usage.
func (p *Provider) Request(r *chat.Request) ([]byte, chat.Lossy, error) {
	p.lossy = nil
	wire := wireRequest{
		Model: r.Model, Stream: r.Stream, Messages: p.messages(r), Tools: p.tools(r.Tools),
		Temperature: json.Number(r.Sampling.Temperature), TopP: json.Number(r.Sampling.TopP),
		PresencePenalty: json.Number(r.Sampling.PresencePenalty), FrequencyPenalty: json.Number(r.Sampling.FrequencyPenalty),
		Seed: json.Number(r.Sampling.Seed), Stop: r.Stop, N: r.N, Logprobs: r.Logprobs, TopLogprobs: r.TopLogprobs,
		User: r.User, ServiceTier: p.serviceTier(r.ServiceTier),
		ResponseFormat: format(&r.Format), ReasoningEffort: p.effort(&r.Reasoning),
	}
	if r.Stream {
		wire.StreamOptions = &streamOptions{IncludeUsage: true}
	}
	if len(r.Metadata) > 0 {
		p.lossy.Add("metadata")
	}
	p.choose(r, &wire)
	p.bound(r, &wire)
	body, err := marshal(&wire)
	if err != nil {
		return nil, nil, fmt.Errorf("write an openai request: %w", err)
	}
	return body, p.lossy, nil
}

// marshal is encode where raw parts came from elsewhere.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}

// bound writes what differs between OpenAI, whose newer models refuse max_tokens, and
// others.
func (p *Provider) bound(r *chat.Request, wire *wireRequest) {
	if p.compatible {
		wire.MaxTokens, wire.TopK = r.MaxOutput, json.Number(r.Sampling.TopK)
		return
	}
	wire.MaxCompletion = r.MaxOutput
	if r.Sampling.TopK != "" {
		p.lossy.Add("top_k")
	}
}

// choose writes how tools are chosen: OpenAI takes that with tools only.
func (p *Provider) choose(r *chat.Request, wire *wireRequest) {
	choice := r.ToolChoice
	if len(r.Tools) == 0 {
		if choice.Choose == chat.Any || choice.Choose == chat.Named {
			p.lossy.Add("tool_choice")
		}
		return
	}
	wire.ParallelToolCalls = r.ParallelTools
	switch choice.Choose {
	case chat.Auto:
		wire.ToolChoice = "auto"
	case chat.Never:
		wire.ToolChoice = "none"
	case chat.Any:
		wire.ToolChoice = "required"
	case chat.Named:
		chosen := wireChosen{Type: "function"}
		chosen.Function.Name = choice.Name
		wire.ToolChoice = chosen
	}
}

func (p *Provider) tools(tools []chat.Tool) []wireTool {
	var wire []wireTool
	for _, tool := range tools {
		wire = append(wire, wireTool{Type: "function", Function: wireDeclared{
			Name: tool.Name, Description: tool.Description, Parameters: json.RawMessage(tool.Schema), Strict: tool.Strict,
		}})
		if tool.Cache != nil {
			p.lossy.Add("tools.cache")
		}
	}
	return wire
}

// format asks for structured output. OpenAI wants a name for the schema.
func format(f *chat.Format) *wireFormat {
	switch f.Shape {
	case chat.JSONObject:
		return &wireFormat{Type: "json_object"}
	case chat.JSONSchema:
		schema := &wireSchema{Name: f.Name, Description: f.Description, Schema: json.RawMessage(f.Schema), Strict: f.Strict}
		if schema.Name == "" {
			schema.Name = "answer"
		}
		return &wireFormat{Type: "json_schema", JSONSchema: schema}
	}
	return nil
}

// Budgets up to these are an effort of low and medium.
const (
	lowBudget    = 2 << 10
	mediumBudget = 8 << 10
)

func (p *Provider) effort(r *chat.Reasoning) string {
	if r.Summary && !p.compatible {
		p.lossy.Add("reasoning.summary")
	}
	if r.Budget == 0 || r.Budget == chat.Unbounded {
		return r.Effort
	}
	p.lossy.Add("reasoning.budget")
	switch {
	case r.Effort != "":
		return r.Effort
	case r.Budget <= lowBudget:
		return "low"
	case r.Budget <= mediumBudget:
		return "medium"
	}
	return "high"
}

// serviceTier is written where OpenAI has it.
func (p *Provider) serviceTier(tier string) string {
	switch tier {
	case "", "auto", "default", "flex", "scale", "priority", "fast":
		return tier
	case "standard_only": // Anthropic's word for no priority
		return "default"
	}
	p.lossy.Add("service_tier")
	return ""
}
