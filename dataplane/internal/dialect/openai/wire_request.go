package openai

import "encoding/json"

// wireRequest is a request as it is written. Numbers are as the caller wrote them.
type wireRequest struct {
	Model             string         `json:"model"`
	Messages          []wireMessage  `json:"messages"`
	Stream            bool           `json:"stream,omitempty"`
	StreamOptions     *streamOptions `json:"stream_options,omitempty"`
	Tools             []wireTool     `json:"tools,omitempty"`
	ToolChoice        any            `json:"tool_choice,omitempty"`
	ParallelToolCalls *bool          `json:"parallel_tool_calls,omitempty"`
	ResponseFormat    *wireFormat    `json:"response_format,omitempty"`
	MaxCompletion     int64          `json:"max_completion_tokens,omitempty"`
	MaxTokens         int64          `json:"max_tokens,omitempty"`
	ReasoningEffort   string         `json:"reasoning_effort,omitempty"`
	Temperature       json.Number    `json:"temperature,omitempty"`
	TopP              json.Number    `json:"top_p,omitempty"`
	TopK              json.Number    `json:"top_k,omitempty"`
	PresencePenalty   json.Number    `json:"presence_penalty,omitempty"`
	FrequencyPenalty  json.Number    `json:"frequency_penalty,omitempty"`
	Seed              json.Number    `json:"seed,omitempty"`
	Stop              []string       `json:"stop,omitempty"`
	N                 int64          `json:"n,omitempty"`
	Logprobs          bool           `json:"logprobs,omitempty"`
	TopLogprobs       int64          `json:"top_logprobs,omitempty"`
	User              string         `json:"user,omitempty"`
	ServiceTier       string         `json:"service_tier,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// wireMessage is a message as it is written: content is a string, parts, or null.
type wireMessage struct {
	Role             string     `json:"role"`
	Name             string     `json:"name,omitempty"`
	Content          any        `json:"content"`
	Refusal          string     `json:"refusal,omitempty"`
	ReasoningContent string     `json:"reasoning_content,omitempty"`
	ToolCalls        []wireCall `json:"tool_calls,omitempty"`
	ToolCallID       string     `json:"tool_call_id,omitempty"`
}

type wirePart struct {
	Type       string     `json:"type"`
	Text       *string    `json:"text,omitempty"`
	ImageURL   *wireImage `json:"image_url,omitempty"`
	InputAudio *wireAudio `json:"input_audio,omitempty"`
	File       *wireFile  `json:"file,omitempty"`
}

type wireImage struct {
	URL    string `json:"url"`
	Detail string `json:"detail,omitempty"`
}

type wireAudio struct {
	Data   string `json:"data"`
	Format string `json:"format"`
}

type wireFile struct {
	Filename string `json:"filename"`
	FileData string `json:"file_data"`
}

type wireTool struct {
	Type     string       `json:"type"`
	Function wireDeclared `json:"function"`
}

type wireDeclared struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

type wireChosen struct {
	Type     string `json:"type"`
	Function struct {
		Name string `json:"name"`
	} `json:"function"`
}

type wireFormat struct {
	Type       string      `json:"type"`
	JSONSchema *wireSchema `json:"json_schema,omitempty"`
}

type wireSchema struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}
