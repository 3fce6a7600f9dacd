package gemini

import (
	"bytes"
	"strings"

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
	name := string(jsonscan.Plain(raw))
	if known, ok := canonicalNames[name]; ok {
		return known
	}
	return name
}

// isObject tells whether text is JSON, and an object. It is asked once, of what came from
// outside: object and elements take the rest on trust.
func isObject(text []byte) bool {
	var space [16]jsonscan.Field
	_, err := jsonscan.Fields(space[:0], text, nil)
	return err == nil
}

// object visits the fields of an object but for those that are null, and tells whether
// value is an object. It is valid JSON.
func object(value []byte, visit func(name string, value []byte)) bool {
	return rawObject(value, func(name, value []byte) {
		if string(value) != "null" {
			visit(nameOf(name), value)
		}
	})
}

// rawObject visits all fields, their names as they were written.
func rawObject(value []byte, visit func(name, value []byte)) bool {
	if len(value) < 2 || value[0] != '{' {
		return false
	}
	text := value[1 : len(value)-1]
	for start := 0; start < len(text); {
		end := memberEnd(text, start)
		member := bytes.TrimSpace(text[start:end])
		if len(member) > 0 {
			quote := min(stringEnd(member, 0), len(member)-1)
			_, after, _ := bytes.Cut(member[quote:], colon)
			visit(member[1:quote], bytes.TrimSpace(after))
		}
		start = end + 1
	}
	return true
}

var colon = []byte(":")

// elements visits the elements of an array. What is no array is its own only element,
// as Google's servers take it: {"parts": {"text": "a"}}. It is valid JSON.
func elements(value []byte, visit func(element []byte)) {
	if len(value) < 2 || value[0] != '[' {
		visit(value)
		return
	}
	text := value[1 : len(value)-1]
	for start := 0; start < len(text); {
		end := memberEnd(text, start)
		if element := bytes.TrimSpace(text[start:end]); len(element) > 0 {
			visit(element)
		}
		start = end + 1
	}
}

// memberEnd is where the comma behind a field or element stands, or the text ends.
func memberEnd(text []byte, from int) int {
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
	for i := from + 1; i < len(text); {
		quote := bytes.IndexByte(text[i:], '"')
		if quote < 0 {
			break
		}
		end := i + quote
		escapes := end
		for escapes > i && text[escapes-1] == '\\' {
			escapes--
		}
		if (end-escapes)%2 == 0 {
			return end
		}
		i = end + 1
	}
	return len(text)
}
