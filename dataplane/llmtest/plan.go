package llmtest

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// How a caller chooses tools, in any dialect.
type choose int

const (
	chooseAuto choose = iota
	chooseNone
	chooseAny
	chooseNamed
)

// calledTool is a tool that will be called, with what its schema allows.
type calledTool struct {
	name   string
	schema gjson.Result
}

type toolChoice struct {
	kind choose
	name string
	// single: one call at most.
	single bool
}

// pick decides which tools are called: the one that has to be, or those whose names are
// among the words that the user said last.
func pick(tools []calledTool, choice toolChoice, said string) []calledTool {
	var calls []calledTool
	spoken := strings.Fields(said)
	for _, tool := range tools {
		called := map[choose]bool{
			chooseAuto: slices.Contains(spoken, tool.name), chooseAny: len(calls) == 0, chooseNamed: tool.name == choice.name,
		}[choice.kind]
		if called {
			calls = append(calls, tool)
		}
	}
	if choice.single && len(calls) > 1 {
		return calls[:1]
	}
	return calls
}

const pieceBytes = 8

// cut divides a text into pieces of a token each, as arguments are streamed.
func cut(text string) []string {
	var pieces []string
	for len(text) > pieceBytes {
		pieces, text = append(pieces, text[:pieceBytes]), text[pieceBytes:]
	}
	return append(pieces, text)
}

// words divides a text before each space but the first.
func words(text string) []string {
	var pieces []string
	for i, word := range strings.Fields(text) {
		if i > 0 {
			word = " " + word
		}
		pieces = append(pieces, word)
	}
	if strings.HasSuffix(text, " ") {
		pieces = append(pieces, " ")
	}
	return pieces
}

// stopped is the text ahead of the first stop sequence in it.
func stopped(text string, stops []string) (before, sequence string, met bool) {
	first := len(text)
	for _, stop := range stops {
		if at := strings.Index(text, stop); at >= 0 && at < first {
			first, sequence, met = at, stop, true
		}
	}
	return text[:first], sequence, met
}

// example is an object that follows a schema as far as its properties and their simple types.
func example(schema gjson.Result) string {
	var fields []string
	schema.Get("properties").ForEach(func(name, property gjson.Result) bool {
		fields = append(fields, name.Raw+":"+exampleOf(property))
		return true
	})
	return "{" + strings.Join(fields, ",") + "}"
}

func exampleOf(property gjson.Result) string {
	kind := property.Get("type").Str
	value := map[string]string{"string": `"the weir"`, "number": "7.5", "integer": "7", "boolean": "true"}[kind]
	switch {
	case property.Get("enum.0").Exists():
		return property.Get("enum.0").Raw
	case kind == "object":
		return example(property)
	case kind == "array" && property.Get("items").Exists():
		return "[" + exampleOf(property.Get("items")) + "]"
	case kind == "array":
		return "[]"
	case value == "":
		return "null"
	}
	return value
}
