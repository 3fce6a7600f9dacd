package llmtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// responseRequest is what the mock understands of a request; everything else is accepted and has no effect.
type responseRequest struct {
	last   string // what the user said last
	prompt int
	// most bounds the output, reasoning included. Zero: nothing does.
	most int
	// reasons: some of the output is reasoning, which is summarized and sealed on demand.
	reasons, summarized, sealed bool
	calls                       []calledTool
	// json and schema are what the text has to be.
	json   bool
	schema gjson.Result
}

// responseReader reads a request; the first thing that is wrong stays.
type responseReader struct {
	responseRequest
	invalid *openAIError
	// stored: what was said before may be meant by its id.
	stored bool
	// asked are calls whose results must come, thought is the reasoning whose outcome must come next.
	asked   []string
	thought string
}

func (r *responseReader) fail(param, code, format string, args ...any) {
	if r.invalid == nil {
		r.invalid = &openAIError{Type: "invalid_request_error", Param: param, Code: code, Message: fmt.Sprintf(format, args...)}
	}
}

func readResponse(fields gjson.Result) (responseRequest, *openAIError) {
	effort := fields.Get("reasoning.effort").Str
	r := responseReader{stored: fields.Get("store").Raw != "false", responseRequest: responseRequest{
		prompt: tokensPerPrompt, reasons: effort != "" && effort != "none", summarized: fields.Get("reasoning.summary").Str != ""}}
	each(fields.Get("include"), func(name gjson.Result) { r.sealed = r.sealed || name.Str == "reasoning.encrypted_content" })
	if id := fields.Get("previous_response_id").Str; id != "" {
		r.fail("previous_response_id", "previous_response_not_found", "Previous response with id '%s' not found.", id)
	}
	if text := fields.Get("instructions").Str; text != "" {
		r.prompt += tokensPerMessage + CountWords(text)
	}
	if most := fields.Get("max_output_tokens"); most.Type == gjson.Number {
		r.most = int(most.Int())
		if r.most < 1 {
			r.fail("max_output_tokens", "integer_below_min_value", "Invalid 'max_output_tokens': integer below minimum value.")
		}
	}
	r.input(fields.Get("input"))
	r.tools(fields)
	r.format(fields.Get("text.format"))
	return r.responseRequest, r.invalid
}

// input counts the prompt and holds calls, their results and reasoning to the rules of turns.
func (r *responseReader) input(input gjson.Result) {
	if input.Type == gjson.String {
		r.last = input.Str
		r.prompt += tokensPerMessage + CountWords(input.Str)
		return
	}
	items := input.Array()
	if !input.IsArray() || len(items) == 0 {
		r.fail("input", "missing_required_parameter", "Missing required parameter: 'input'.")
	}
	for i, item := range items {
		r.prompt += tokensPerMessage
		switch kind := item.Get("type").Str; kind {
		case "reasoning":
			r.reasoning(item)
		case "function_call":
			r.thought = ""
			r.call(i, item)
		case "function_call_output":
			r.concluded()
			r.result(item)
		default:
			r.message(i, item)
		}
	}
	r.concluded()
	if len(r.asked) > 0 {
		r.fail("input", "", "No tool output found for function call %s.", r.asked[0])
	}
}

func (r *responseReader) concluded() {
	if r.thought != "" {
		r.fail("input", "", "Item '%s' of type 'reasoning' was provided without its required following item.", r.thought)
	}
}

// reasoning comes back as it was said, or by its id where it was stored.
func (r *responseReader) reasoning(item gjson.Result) {
	id, content := item.Get("id").Str, item.Get("encrypted_content").Str
	r.thought = id
	var summary []string
	each(item.Get("summary"), func(part gjson.Result) { summary = append(summary, part.Get("text").Str) })
	switch {
	case content != "" && !opens(content, strings.Join(summary, "")):
		r.fail("", "invalid_encrypted_content", "The encrypted content for item %s could not be verified. Reason: Encrypted content could not be decrypted or parsed.", id)
	case content == "" && (!r.stored || !ownItem(id)) && r.invalid == nil:
		r.fail("input", "", "Item with id '%s' not found. Items are not persisted when `store` is set to false.", id)
		r.invalid.Status = http.StatusNotFound
	}
}

func (r *responseReader) call(i int, item gjson.Result) {
	arguments := item.Get("arguments")
	if item.Get("call_id").Str == "" || item.Get("name").Str == "" || arguments.Type != gjson.String {
		r.fail(fmt.Sprintf("input[%d]", i), "missing_required_parameter", "Missing required parameter of a function call: 'input[%d]'.", i)
	}
	r.asked = append(r.asked, item.Get("call_id").Str)
	r.prompt += CountWords(arguments.Str)
}

func (r *responseReader) result(item gjson.Result) {
	r.last = ""
	r.prompt += CountWords(textsOf(item.Get("output")))
	at := slices.Index(r.asked, item.Get("call_id").Str)
	if at < 0 {
		r.fail("input", "", "No tool call found for function call output with call_id %s.", item.Get("call_id").Str)
		return
	}
	r.asked = slices.Delete(r.asked, at, at+1)
}

func (r *responseReader) message(i int, item gjson.Result) {
	content := item.Get("content")
	switch role := item.Get("role").Str; role {
	case "assistant":
		r.thought = ""
	case "user":
		r.last = textsOf(content)
		r.concluded()
	}
	r.prompt += CountWords(textsOf(content))
	if !content.IsArray() {
		return
	}
	for j, part := range content.Array() {
		switch kind := part.Get("type").Str; kind {
		case "input_text", "output_text", "refusal":
		case "input_image", "input_file", "input_audio":
			r.prompt += mediaTokens
		default:
			r.fail(fmt.Sprintf("input[%d].content[%d]", i, j), "invalid_value", "Invalid value: '%s'.", kind)
		}
	}
}

// textsOf joins the texts of parts with a space; a plain string is its own only part.
func textsOf(content gjson.Result) string {
	if !content.IsArray() {
		return content.Str
	}
	text := ""
	each(content, func(part gjson.Result) { text = strings.TrimSpace(text + " " + part.Get("text").Str) })
	return text
}

// tools decides which are called.
func (r *responseReader) tools(fields gjson.Result) {
	r.prompt += CountWords(fields.Get("tools").Raw)
	var functions []calledTool
	each(fields.Get("tools"), func(tool gjson.Result) {
		if tool.Get("type").Str == "function" {
			functions = append(functions, calledTool{tool.Get("name").Str, tool.Get("parameters")})
		}
	})
	choice := toolChoice{kind: chooseAuto, single: fields.Get("parallel_tool_calls").Raw == "false"}
	chosen := fields.Get("tool_choice")
	switch {
	case chosen.Get("type").Str == "function":
		choice.kind, choice.name = chooseNamed, chosen.Get("name").Str
	case chosen.Str == "none":
		choice.kind = chooseNone
	case chosen.Str == "required":
		choice.kind = chooseAny
	}
	r.calls = pick(functions, choice, r.last)
	switch {
	case choice.kind == chooseNamed && len(r.calls) == 0:
		r.fail("tool_choice", "", "Tool choice '%s' not found in 'tools' parameter.", choice.name)
	case choice.kind == chooseAny && !fields.Get("tools.0").Exists():
		r.fail("tool_choice", "", "Tool choice 'required' must be specified with 'tools' parameter.")
	}
}

func (r *responseReader) format(format gjson.Result) {
	switch kind := format.Get("type").Str; kind {
	case "", "text":
	case "json_object":
		r.json = true
	case "json_schema":
		r.json, r.schema = true, format.Get("schema")
		for _, name := range []string{"name", "schema"} {
			if !format.Get(name).Exists() {
				r.fail("text.format."+name, "missing_required_parameter", "Missing required parameter: 'text.format.%s'.", name)
			}
		}
	default:
		r.fail("text.format.type", "invalid_value", "Invalid value: '%s'.", kind)
	}
}
