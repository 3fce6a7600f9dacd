package openai

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

// fieldNames are canonical names of fields, those of package chat in snake case, which
// this dialect writes otherwise.
var fieldNames = map[string]string{
	"messages.url":               "messages.content.image_url",
	"messages.media_type":        "messages.content",
	"messages.failed":            "messages.content",
	"messages.document_name":     "messages.content.file.filename",
	"user":                       "safety_identifier",
	"max_output":                 "max_completion_tokens",
	"parallel_tools":             "parallel_tool_calls",
	"format":                     "response_format",
	"format.name":                "response_format.json_schema.name",
	"format.description":         "response_format.json_schema.description",
	"format.strict":              "response_format.json_schema.strict",
	"reasoning.effort":           "reasoning_effort",
	"system":                     "messages.content",
	"system.cache":               "messages.content.cache_control",
	"messages.cache":             "messages.content.cache_control",
	"messages.detail":            "messages.content.image_url.detail",
	"messages.image":             "messages.content.image_url",
	"messages.audio":             "messages.content.input_audio",
	"messages.document":          "messages.content.file",
	"messages.thinking":          "messages.reasoning_content",
	"messages.redacted_thinking": "messages.thinking_blocks",
	"messages.signature":         "messages.thinking_blocks",
	"messages.arguments":         "messages.tool_calls.function.arguments",
	"tools.cache":                "tools.cache_control",
	"tools.strict":               "tools.function.strict",
}

// Names says what a provider left out, told in canonical terms, as this dialect writes
// it.
func (*Surface) Names(lossy chat.Lossy) chat.Lossy { return lossy.Named(fieldNames) }
