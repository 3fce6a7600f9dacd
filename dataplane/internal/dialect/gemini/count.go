package gemini

import (
	"bytes"
	"strconv"
)

// Requests to count tokens have the chat in a field or, as Vertex AI's all do, at the top.
// Source: https://ai.google.dev/api/tokens,
// https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens

// counted is the chat whose tokens a body asks for.
func counted(body []byte) []byte {
	chat := body
	object(bytes.TrimSpace(body), func(name string, value []byte) {
		if name == "generateContentRequest" && isObject(value) {
			chat = value
		}
	})
	return chat
}

// CountRequest turns the body of generateContent into that of countTokens, for a model.
func CountRequest(body []byte, model string) []byte {
	o := out{b: make([]byte, 0, len(body)+len(model)+64)}
	o.begin('{')
	o.open("generateContentRequest", '{')
	o.text("model", "models/"+model)
	object(bytes.TrimSpace(body), func(name string, value []byte) { o.raw(name, string(value)) })
	o.end('}')
	o.end('}')
	return o.b
}

// CountRequestOfVertex is CountRequest for Vertex AI, which refuses other fields than those.
func CountRequestOfVertex(body []byte) []byte {
	o := out{b: make([]byte, 0, len(body))}
	o.begin('{')
	object(bytes.TrimSpace(body), func(name string, value []byte) {
		switch name {
		case "contents", "systemInstruction", "tools", "generationConfig":
			o.raw(name, string(value))
		}
	})
	o.end('}')
	return o.b
}

// ReadCount is how many tokens an answer says were counted. Not ok: it does not say.
func ReadCount(body []byte) (tokens int64, ok bool) {
	if !isObject(body) {
		return 0, false
	}
	object(bytes.TrimSpace(body), func(name string, value []byte) {
		if name == "totalTokens" {
			n, err := strconv.ParseInt(string(bytes.Trim(value, `"`)), 10, 64)
			tokens, ok = n, err == nil && n >= 0
		}
	})
	return tokens, ok
}

// CountAnswer says how many tokens were counted.
func CountAnswer(tokens int64) []byte {
	return append(strconv.AppendInt([]byte(`{"totalTokens":`), tokens, 10), "}\n"...)
}
