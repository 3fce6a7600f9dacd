package gemini

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// Names of fields are lowerCamelCase or, as the JSON form of protocol buffers allows and
// much of Google's own documentation writes, snake_case.
// https://protobuf.dev/programming-guides/json/#field-names

// canonicalNames gives the lowerCamelCase of every name that is read, in both forms.
var canonicalNames = func() map[string]string {
	names := map[string]string{}
	for _, name := range strings.Fields(`
		model contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent labels store
		serviceTier continuationToken role parts text thought thoughtSignature inlineData fileData functionCall
		functionResponse executableCode codeExecutionResult toolCall toolResponse videoMetadata mediaResolution
		partMetadata mimeType data displayName fileUri id name args response functionDeclarations description
		parameters parametersJsonSchema responseJsonSchema behavior functionCallingConfig mode allowedFunctionNames
		candidateCount stopSequences maxOutputTokens temperature topP topK presencePenalty frequencyPenalty seed
		responseLogprobs logprobs responseMimeType responseSchema responseModalities speechConfig thinkingConfig
		includeThoughts thinkingBudget thinkingLevel type nullable properties items anyOf format enum example
		minItems maxItems minLength maxLength minProperties maxProperties propertyOrdering level googleSearch
		generateContentRequest content`) {
		names[name] = name
		names[snake(name)] = name
	}
	return names
}()

func snake(camel string) string {
	var b strings.Builder
	for _, r := range camel {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// nameOf is the lowerCamelCase of a name that is known; others are as they came.
func nameOf(raw []byte) string {
	if name, ok := canonicalNames[string(raw)]; ok {
		return name
	}
	name := string(plain(raw))
	if known, ok := canonicalNames[name]; ok {
		return known
	}
	return name
}

// object visits the fields of an object but for those that are null, and tells whether
// value is an object.
func object(value []byte, visit func(name string, value []byte)) bool {
	var space [16]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], value, nil)
	if err != nil {
		return false
	}
	for _, field := range fields {
		if string(field.Value) != "null" {
			visit(nameOf(field.Name), field.Value)
		}
	}
	return true
}

// elements visits the elements of an array. What is no array is its own only element,
// as Google's servers take it: {"parts": {"text": "a"}}. The text is JSON, or nothing
// is promised about the elements.
func elements(value []byte, visit func(element []byte)) {
	if len(value) < 2 || value[0] != '[' {
		visit(value)
		return
	}
	text := value[1 : len(value)-1]
	for start := 0; start < len(text); {
		end := elementEnd(text, start)
		if element := bytes.TrimSpace(text[start:end]); len(element) > 0 {
			visit(element)
		}
		start = end + 1
	}
}

// elementEnd is where the comma behind the element stands, or the text ends.
func elementEnd(text []byte, from int) int {
	depth := 0
	for i := from; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = stringEnd(text, i)
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// stringEnd is where the closing quote stands of the string that opens at from.
func stringEnd(text []byte, from int) int {
	for i := from + 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(text)
}

// plain decodes the escapes of a field's name.
func plain(name []byte) []byte {
	if bytes.IndexByte(name, '\\') < 0 {
		return name
	}
	var text string
	quoted := append(append([]byte{'"'}, name...), '"')
	if json.Unmarshal(quoted, &text) != nil {
		return name
	}
	return []byte(text)
}

// text decodes a JSON string; empty where value is none.
func text(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	plain := value[1 : len(value)-1]
	if bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
		return string(plain)
	}
	var text string
	_ = json.Unmarshal(value, &text) // it was scanned: a string that is well formed
	return text
}
