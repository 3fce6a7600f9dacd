package gemini

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

// fieldNames are canonical names of fields, those of package chat in lower case, as this
// dialect writes them.
var fieldNames = map[string]string{
	"messages.url":               "contents.parts.fileData.fileUri",
	"messages.document":          "contents.parts.fileData",
	"messages.image":             "contents.parts.inlineData",
	"messages.failed":            "contents.parts.functionResponse.response",
	"messages.document_name":     "contents.parts.inlineData.displayName",
	"system.cache":               "systemInstruction.parts",
	"messages.cache":             "contents.parts",
	"messages.role":              "contents.role",
	"messages.detail":            "contents.parts.mediaResolution",
	"messages.media_type":        "contents.parts.inlineData.mimeType",
	"messages.audio":             "contents.parts.inlineData",
	"messages.thinking":          "contents.parts.thought",
	"messages.redacted_thinking": "contents.parts.thought",
	"messages.signature":         "contents.parts.thoughtSignature",
	"messages.arguments":         "contents.parts.functionCall.args",
	"tools":                      "tools.functionDeclarations",
	"tool_choice":                "toolConfig.functionCallingConfig",
	"format":                     generation + ".responseMimeType",
	"format.schema":              generation + ".responseJsonSchema",
	"max_output":                 generation + ".maxOutputTokens",
	"reasoning.effort":           generation + ".thinkingConfig.thinkingLevel",
	"reasoning.budget":           generation + ".thinkingConfig.thinkingBudget",
	"reasoning.summary":          generation + ".thinkingConfig.includeThoughts",
	"temperature":                generation + ".temperature",
	"top_p":                      generation + ".topP",
	"top_k":                      generation + ".topK",
	"presence_penalty":           generation + ".presencePenalty",
	"frequency_penalty":          generation + ".frequencyPenalty",
	"seed":                       generation + ".seed",
	"stop":                       generation + ".stopSequences",
	"n":                          generation + ".candidateCount",
	"logprobs":                   generation + ".responseLogprobs",
	"top_logprobs":               generation + ".logprobs",
	"service_tier":               "serviceTier",
	"metadata":                   "labels",
}

// Names says what a provider left out, told in canonical terms, as this dialect writes
// it.
func (*Surface) Names(lossy chat.Lossy) chat.Lossy { return lossy.Named(fieldNames) }
