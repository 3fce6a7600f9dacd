package responses

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

// fieldNames are canonical names of fields, those of package chat in snake case, which
// this dialect writes otherwise.
var fieldNames = map[string]string{
	"messages.url":               "input.content",
	"messages.media_type":        "input.content",
	"messages.failed":            "input.output",
	"messages.document_name":     "input.content.filename",
	"user":                       "safety_identifier",
	"logprobs":                   "include",
	"max_output":                 "max_output_tokens",
	"parallel_tools":             "parallel_tool_calls",
	"format":                     "text.format",
	"format.name":                "text.format.name",
	"format.description":         "text.format.description",
	"format.strict":              "text.format.strict",
	"system":                     "instructions",
	"system.cache":               "input.content.cache_control",
	"messages.role":              "input.role",
	"messages.name":              "input.name",
	"messages.cache":             "input.content.cache_control",
	"messages.detail":            "input.content.detail",
	"messages.image":             "input.content.image_url",
	"messages.audio":             "input.content.input_audio",
	"messages.document":          "input.content.input_file",
	"messages.refusal":           "input.content.refusal",
	"messages.thinking":          "input.summary",
	"messages.redacted_thinking": "input.encrypted_content",
	"messages.signature":         "input.encrypted_content",
	"messages.arguments":         "input.arguments",
	"tools.cache":                "tools.cache_control",
}

// Names says what a provider left out, told in canonical terms, as this dialect writes
// it.
func (*Surface) Names(lossy chat.Lossy) chat.Lossy { return lossy.Named(fieldNames) }
