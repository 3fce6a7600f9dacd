package anthropic

import (
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// Surface converts for applications that speak this dialect.
//
// Tools that Anthropic describes or runs, files by id, citations and the context
// management of betas have no place in a chat.Request: they are named in its Lossy, but
// for files, which are a Fault (they belong to one account).
type Surface struct {
	// counts: the requests are those of count_tokens, which have no cap.
	counts bool
	stream surfaceStream
}

var _ chat.Surface = (*Surface)(nil)

// NewSurface makes a converter for one request.
func NewSurface() *Surface { return new(Surface) }

// NewCountingSurface makes a converter for one request to count tokens.
func NewCountingSurface() *Surface { return &Surface{counts: true} }

// fieldNames are canonical names of fields, those of package chat in lower case, which
// this dialect writes otherwise.
var fieldNames = map[string]string{
	"messages.url":               "messages.content.source.url",
	"messages.media_type":        "messages.content.source.media_type",
	"messages.failed":            "messages.content.is_error",
	"messages.signature":         "messages.content.signature",
	"messages.image":             "messages.content.image",
	"messages.document":          "messages.content.document",
	"messages.document_name":     "messages.content.title",
	"messages.audio":             "messages.content",
	"system.cache":               "system.cache_control",
	"stop":                       "stop_sequences",
	"user":                       "metadata.user_id",
	"max_output":                 "max_tokens",
	"parallel_tools":             "tool_choice.disable_parallel_tool_use",
	"reasoning.effort":           "output_config.effort",
	"reasoning.budget":           "thinking.budget_tokens",
	"reasoning.summary":          "thinking.display",
	"format":                     "output_config.format",
	"format.name":                "output_config.format",
	"format.description":         "output_config.format",
	"format.strict":              "output_config.format",
	"tools.cache":                "tools.cache_control",
	"messages.cache":             "messages.content.cache_control",
	"messages.thinking":          "messages.content.thinking",
	"messages.redacted_thinking": "messages.content.redacted_thinking",
	"messages.arguments":         "messages.content.input",
}

// Names says what a provider left out, told in canonical terms, as this dialect writes
// it.
func (*Surface) Names(lossy chat.Lossy) chat.Lossy { return lossy.Named(fieldNames) }

// Failure writes an upstream's error. A type of this dialect stays, else it follows
// from the status.
func (*Surface) Failure(f *chat.Failure) []byte { return append(failureJSON(f), '\n') }

func failureJSON(f *chat.Failure) []byte {
	kind := f.Type
	if !knownType(kind) {
		kind = errorType(f.Status)
	}
	return errorJSON(errorObject{Type: kind, Message: f.Message, Code: f.Code, Param: f.Param})
}
