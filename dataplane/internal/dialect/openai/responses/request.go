package responses

import (
	"bytes"
	"net/http"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
)

// Places of the fields that policy reads.
const (
	fieldModel = iota
	fieldStream
	fieldMaxOutput
	fieldServiceTier
	fieldTools
	fieldInput
	fieldPrompt
	fieldBackground
	fieldPrevious
	fieldConversation
	maxFields
)

// leastOutput is the lowest max_output_tokens that OpenAI takes: below it answers "integer
// below minimum value. Expected a value >= 16".
const leastOutput = 16

var passedNames = []string{"model", "stream", "max_output_tokens", "service_tier", "tools", "input", "prompt",
	"background", "previous_response_id", "conversation"}

// Parse reads a request. What refers to something that a provider keeps is refused: it
// belongs to one account, and the next request may go to another. Whether a provider is to
// keep the answer (store) is between it and the caller.
func (Passed) Parse(body []byte) (dialect.Request, *dialect.Refusal) {
	request := dialect.Request{Choices: 1}
	var space [32]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], body, func(name []byte) {
		if field := open(name); field != "" {
			request.Opens(field)
		}
	})
	if err != nil {
		return request, (*dialect.Refusal)(openai.NotJSON(err))
	}
	var found [maxFields]jsonscan.Field
	refusal := openai.Pick(found[:], fields, passedNames)
	if refusal == nil {
		refusal = openai.ReadModel(&request, found[fieldModel])
	}
	if refusal != nil {
		return request, (*dialect.Refusal)(refusal)
	}
	request.Stream = string(found[fieldStream].Value) == "true"
	openai.CapOf(&request, found[fieldMaxOutput], body, "max_output_tokens", `"max_output_tokens":`)
	request.Caps.Least = leastOutput
	request.ServiceTier = openai.Tier(found[fieldServiceTier].Value)
	// Tools that are not run by the caller are billed beside tokens, or add to the prompt. A stored
	// prompt may have some. What they bring counts as input, turn by turn.
	if openai.Hosted(found[fieldTools].Value, `"function"`, `"custom"`, `"local_shell"`, `"apply_patch"`) {
		request.Opens("tools")
		request.Unprices("tools")
	}
	if !absent(found[fieldPrompt].Value) {
		request.Opens("prompt")
		request.Unprices("prompt")
	}
	return request, kept(&found)
}

// open names the field by which a part of the prompt may be billed as more tokens than it
// has bytes, and is else empty. An escaped name might be any.
func open(name []byte) string {
	switch string(name) {
	case "image_url":
		return "image_url"
	case "file_id":
		return "file_id"
	case "file_data":
		return "file_data"
	case "file_url":
		return "file_url"
	case "input_audio":
		return "input_audio"
	}
	if bytes.IndexByte(name, '\\') >= 0 {
		return dialect.EscapedName
	}
	return ""
}

func absent(raw []byte) bool { return len(raw) == 0 || string(raw) == "null" }

// kept refuses what needs something that a provider kept, or is to be asked for later.
func kept(found *[maxFields]jsonscan.Field) *dialect.Refusal {
	const instead = " Send the whole conversation as input."
	switch {
	case !absent(found[fieldBackground].Value) && string(found[fieldBackground].Value) != "false":
		return unsupported("background", "A response in the background is asked for by its id, which belongs to one account of one provider. Leave background out, and stream.")
	case !absent(found[fieldPrevious].Value):
		return unsupported("previous_response_id", "A response's id belongs to one account of one provider, and this route may lead to several."+instead)
	case !absent(found[fieldConversation].Value):
		return unsupported("conversation", "A conversation belongs to one account of one provider, and this route may lead to several."+instead)
	case refers(found[fieldInput].Value):
		return unsupported("input", "An item_reference is of an item that one account of one provider keeps, and this route may lead to several."+instead)
	}
	return nil
}

func unsupported(field, message string) *dialect.Refusal {
	return &dialect.Refusal{Status: http.StatusBadRequest, Code: "unsupported_field", Param: field, Message: message}
}

// refers tells whether an item of the input is a reference: it has an id and nothing else,
// or says so, be it beside another type.
func refers(input []byte) bool {
	return openai.Some(input, func(fields []jsonscan.Field) bool {
		typed, named := false, false
		for _, field := range fields {
			switch name := jsonscan.Plain(field.Name); {
			case bytes.EqualFold(name, []byte("type")):
				kind := jsonscan.Text(field.Value)
				if typed = typed || kind != ""; kind == "item_reference" {
					return true
				}
			case bytes.EqualFold(name, []byte("id")):
				named = true
			}
		}
		return !typed && named && len(fields) <= 2
	})
}
