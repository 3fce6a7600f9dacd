// Package reason tells why a provider refused a chat, where the status does not: the prompt
// is longer than the model takes, or a filter stopped the prompt or the answer. Codes come
// first; a text counts only where no code says so, and only the error's own, never what it
// quotes elsewhere in the body. It knows the forms of all dialects at once, since compatible
// servers mix them, and does no I/O.
package reason

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// Reason why a provider refused.
type Reason int

const (
	// Other: none of those below, or nothing is said of it.
	Other Reason = iota
	// ContextTooLong: the prompt, alone or with the output that was asked for, is longer than
	// the model takes.
	ContextTooLong
	// ContentFilter: a filter stopped the prompt or the answer.
	ContentFilter
)

// maxError bounds what is looked at: errors are short.
const maxError = 64 << 10

// codes are compared in lower case, without anything but letters and digits.
var codes = map[string]Reason{
	"contextlengthexceeded":        ContextTooLong, // OpenAI, Groq, xAI, DeepSeek
	"contextwindowexceeded":        ContextTooLong,
	"exceedcontextsizeerror":       ContextTooLong, // llama.cpp, as type
	"modelcontextwindowexceeded":   ContextTooLong, // Anthropic, as stop reason
	"contentfilter":                ContentFilter,  // Azure, and OpenAI as reason to end
	"contentpolicyviolation":       ContentFilter,  // OpenAI
	"responsibleaipolicyviolation": ContentFilter,  // Azure, inside
	"moderationblocked":            ContentFilter,  // OpenAI's images
	"datainspectionfailed":         ContentFilter,  // Alibaba
}

// texts are looked for in lower case. The golden answers of the tests say where each comes
// from.
var texts = []struct {
	part   string
	reason Reason
}{
	{"maximum context length", ContextTooLong},               // OpenAI, vLLM, Mistral, DeepSeek, OpenRouter
	{"context length exceeded", ContextTooLong},              //
	{"exceeds the context window", ContextTooLong},           // OpenAI's responses
	{"context window exceeds", ContextTooLong},               // MiniMax
	{"prompt is too long", ContextTooLong},                   // Anthropic, also below Bedrock and Vertex AI
	{"exceed context limit", ContextTooLong},                 // Anthropic: input and max_tokens together
	{"input is too long", ContextTooLong},                    // Bedrock
	{"too many input tokens", ContextTooLong},                // Bedrock
	{"exceeds the maximum number of tokens", ContextTooLong}, // Gemini
	{"but model only supports up to", ContextTooLong},        // Vertex AI: "the input token count is N"
	{"maximum prompt length is", ContextTooLong},             // xAI
	{"reduce the length of the messages", ContextTooLong},    // OpenAI, Groq
	{"exceeds the available context size", ContextTooLong},   // llama.cpp
	{"greater than the context length", ContextTooLong},      // LM Studio
	{"longer than the maximum model length", ContextTooLong}, // vLLM
	{"`inputs` tokens + `max_new_tokens`", ContextTooLong},   // text-generation-inference
	{"exceeded model token limit", ContextTooLong},           // Moonshot
	{"content management policy", ContentFilter},             // Azure
	{"content filtering policy", ContentFilter},              // Anthropic
	{"violating our usage policy", ContentFilter},            // OpenAI's reasoning models
	{"rejected as a result of our safety", ContentFilter},    // OpenAI's images
	{"content exists risk", ContentFilter},                   // DeepSeek
}

type wireError struct {
	Code    any             `json:"code"`
	Type    any             `json:"type"`
	Status  any             `json:"status"`
	Message json.RawMessage `json:"message"`
	Detail  json.RawMessage `json:"detail"`
	Inner   *wireError      `json:"innererror"`
	// Metadata is OpenRouter's: a flagged input is quoted in it.
	Metadata *struct {
		Reasons []json.RawMessage `json:"reasons"`
		Flagged string            `json:"flagged_input"`
	} `json:"metadata"`
}

type wireBody struct {
	wireError
	Error    json.RawMessage `json:"error"`
	Response *struct {
		Error json.RawMessage `json:"error"`
	} `json:"response"` // of an event that ends a response
}

// OfError reads the body of an error, or the event that ends a stream with one. Where the
// status says that too much was asked for at once, or that the credential is wrong, it is
// neither; 0 is the status of an event.
func OfError(status int, body []byte) Reason {
	if status == http.StatusTooManyRequests || status == http.StatusUnauthorized || len(body) > maxError {
		return Other
	}
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '[' { // Gemini's, without alt=sse
		var list []json.RawMessage
		if json.Unmarshal(body, &list) != nil || len(list) == 0 {
			return Other
		}
		body = list[0]
	}
	var wire wireBody
	if json.Unmarshal(body, &wire) != nil {
		return OfText(string(body))
	}
	inner := wire.Error
	if wire.Response != nil && len(wire.Response.Error) > 0 {
		inner = wire.Response.Error
	}
	var object wireError
	if len(inner) > 0 && inner[0] == '{' && json.Unmarshal(inner, &object) == nil {
		return object.reason()
	}
	if said := wire.reason(); said != Other {
		return said
	}
	return OfText(textOf(inner))
}

func (e *wireError) reason() Reason {
	for _, code := range []any{e.Code, e.Type, e.Status} {
		name, _ := code.(string)
		if reason := codes[plain(name)]; reason != Other {
			return reason
		}
		if strings.HasPrefix(name, "rate_limit") {
			return Other // its text may speak of too many tokens, too
		}
	}
	switch {
	case e.Inner != nil && e.Inner.reason() != Other:
		return e.Inner.reason()
	case e.Metadata != nil && (len(e.Metadata.Reasons) > 0 || e.Metadata.Flagged != ""):
		return ContentFilter
	}
	if said := OfText(textOf(e.Message)); said != Other {
		return said
	}
	return OfText(textOf(e.Detail))
}

// textOf is a string, or what an object or list in its place says.
func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// OfText reads an error's own words.
func OfText(text string) Reason {
	text = strings.ToLower(text)
	for _, known := range texts {
		if strings.Contains(text, known.part) {
			return known.reason
		}
	}
	return Other
}

func plain(code string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, code)
}
