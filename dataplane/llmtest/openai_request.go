package llmtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// chatRequest is what the mock understands of a request; everything else is accepted and has no effect.
type chatRequest struct {
	Model        string
	LastUser     string
	PromptTokens int
	N            int
	// Cap bounds each choice's output, reasoning included. Zero: none.
	Cap          int
	Stream       bool
	IncludeUsage bool
	// Reasons: some of the output is reasoning.
	Reasons bool
	// Calls are the functions that will be called; Named: the caller said which.
	Calls []calledTool
	Named bool
	// JSON and Schema are what the text has to be.
	JSON   bool
	Schema gjson.Result
	Stops  []string
}

// chatReader reads a request; the first thing that is wrong stays.
type chatReader struct {
	chatRequest
	invalid *openAIError
	// asked are the ids of calls whose results must come next.
	asked []string
}

func (r *chatReader) fail(param, code, format string, args ...any) {
	if r.invalid == nil {
		r.invalid = &openAIError{Type: "invalid_request_error", Param: param, Code: code, Message: fmt.Sprintf(format, args...)}
	}
}

func parseChat(body []byte) (chatRequest, *openAIError) {
	r := chatReader{chatRequest: chatRequest{N: 1, PromptTokens: tokensPerPrompt}}
	root := gjson.ParseBytes(body)
	if !gjson.ValidBytes(body) || !root.IsObject() {
		r.fail("", "", "We could not parse the JSON body of your request. The OpenAI API expects a JSON payload.")
		return r.chatRequest, r.invalid
	}
	fields := map[string]gjson.Result{}
	root.ForEach(func(name, value gjson.Result) bool {
		if value.Type != gjson.Null {
			fields[name.Str] = value
			r.set(name.Str, value)
		}
		return true
	})
	messages := fields["messages"]
	if r.Model == "" {
		r.fail("", "", "you must provide a model parameter")
	}
	if !messages.IsArray() || messages.Get("#").Int() == 0 {
		r.fail("messages", "missing_required_parameter", "Missing required parameter: 'messages'.")
	}
	r.read(messages)
	r.tools(fields)
	r.format(fields["response_format"])
	return r.chatRequest, r.invalid
}

// set takes over one top-level field.
func (r *chatReader) set(name string, value gjson.Result) {
	switch name {
	case "model":
		r.Model = value.String()
	case "stream":
		r.Stream = value.Bool()
	case "stream_options":
		r.IncludeUsage = value.Get("include_usage").Bool()
	case "n":
		r.N = int(value.Int())
		r.between(name, value, 128)
	case "max_tokens":
		if r.Cap == 0 {
			r.Cap = int(value.Int())
		}
		r.between(name, value, 1<<30)
	case "max_completion_tokens":
		r.Cap = int(value.Int())
		r.between(name, value, 1<<30)
	case "reasoning_effort":
		r.Reasons = value.Str != "none"
	case "stop":
		each(value, func(stop gjson.Result) { r.Stops = append(r.Stops, stop.Str) })
	}
}

func (r *chatReader) between(name string, value gjson.Result, most int64) {
	if value.Type != gjson.Number || value.Num != float64(value.Int()) || value.Int() < 1 || value.Int() > most {
		r.fail(name, "invalid_value", "Invalid '%s': expected an integer from 1 to %d.", name, most)
	}
}

// read counts the prompt and holds calls and their results to the rules of turns.
func (r *chatReader) read(messages gjson.Result) {
	for i, message := range messages.Array() {
		role, content := message.Get("role").Str, message.Get("content")
		if role != "tool" {
			r.answered(i)
		}
		switch role {
		case "user":
			r.LastUser = textOf(content)
		case "assistant":
			r.calls(i, message)
		case "tool":
			r.LastUser = ""
			r.result(i, message.Get("tool_call_id").Str)
		case "system", "developer", "function":
		default:
			r.fail(fmt.Sprintf("messages[%d].role", i), "invalid_value", "Invalid value: '%s'.", role)
		}
		r.PromptTokens += tokensPerMessage + CountWords(textOf(content))
		r.parts(i, content)
	}
	r.answered(len(messages.Array()))
}

func (r *chatReader) answered(i int) {
	if len(r.asked) > 0 {
		r.fail(fmt.Sprintf("messages.[%d].role", i), "", "An assistant message with 'tool_calls' must be followed by tool messages "+
			"responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: %s", strings.Join(r.asked, ", "))
	}
	r.asked = nil
}

func (r *chatReader) calls(i int, message gjson.Result) {
	calls := message.Get("tool_calls").Array()
	for _, call := range calls {
		arguments := call.Get("function.arguments")
		if call.Get("id").Str == "" || call.Get("function.name").Str == "" || arguments.Type != gjson.String {
			r.fail(fmt.Sprintf("messages[%d].tool_calls", i), "missing_required_parameter", "Missing required parameter of a tool call.")
		}
		r.asked = append(r.asked, call.Get("id").Str)
		r.PromptTokens += CountWords(arguments.Str)
	}
	if len(calls) == 0 && message.Get("content").Type == gjson.Null && !message.Get("refusal").Exists() {
		r.fail(fmt.Sprintf("messages[%d].content", i), "", "Invalid value for 'content': expected a string, got null.")
	}
}

func (r *chatReader) result(i int, id string) {
	at := slices.Index(r.asked, id)
	if at < 0 {
		r.fail(fmt.Sprintf("messages.[%d].role", i), "", "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.")
		return
	}
	r.asked = slices.Delete(r.asked, at, at+1)
}

// parts counts media and looks whether they are there.
func (r *chatReader) parts(i int, content gjson.Result) {
	if !content.IsArray() {
		return
	}
	for j, part := range content.Array() {
		kind := part.Get("type").Str
		inside, known := map[string]string{"text": "text", "refusal": "refusal", "image_url": "image_url.url", "file": "file", "input_audio": "input_audio.data"}[kind]
		if !known || part.Get(inside).Type == gjson.Null {
			r.fail(fmt.Sprintf("messages[%d].content[%d]", i, j), "invalid_value", "Invalid value: '%s'.", kind)
		}
		if kind != "text" && kind != "refusal" {
			r.PromptTokens += mediaTokens
		}
	}
}

// textOf joins the text parts of a message with a space; a plain string is its own only part.
func textOf(content gjson.Result) string {
	if content.Type == gjson.String {
		return content.Str
	}
	text := ""
	content.ForEach(func(_, part gjson.Result) bool {
		if part.Get("type").Str == "text" {
			if text != "" {
				text += " "
			}
			text += part.Get("text").Str
		}
		return true
	})
	return text
}

// tools decides which are called.
func (r *chatReader) tools(fields map[string]gjson.Result) {
	r.PromptTokens += CountWords(fields["tools"].Raw)
	var functions []calledTool
	for _, tool := range fields["tools"].Array() {
		functions = append(functions, calledTool{tool.Get("function.name").Str, tool.Get("function.parameters")})
	}
	choice := toolChoice{kind: chooseAuto, single: fields["parallel_tool_calls"].Raw == "false"}
	chosen := fields["tool_choice"]
	switch {
	case chosen.IsObject():
		choice.kind, choice.name, r.Named = chooseNamed, chosen.Get("function.name").Str, true
	case chosen.Str == "none":
		choice.kind = chooseNone
	case chosen.Str == "required":
		choice.kind = chooseAny
	}
	if chosen.Exists() && len(functions) == 0 {
		r.fail("tool_choice", "", "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.")
	}
	r.Calls = pick(functions, choice, r.LastUser)
	if choice.kind == chooseNamed && len(r.Calls) == 0 {
		r.fail("tool_choice", "", "Invalid value for 'tool_choice': the function '%s' is not among the tools.", choice.name)
	}
}

func (r *chatReader) format(format gjson.Result) {
	switch kind := format.Get("type").Str; kind {
	case "", "text":
	case "json_object":
		r.JSON = true
	case "json_schema":
		r.JSON, r.Schema = true, format.Get("json_schema.schema")
		if format.Get("json_schema.name").Str == "" || !r.Schema.IsObject() {
			r.fail("response_format.json_schema", "missing_required_parameter", "Missing required parameter of 'response_format.json_schema'.")
		}
	default:
		r.fail("response_format.type", "invalid_value", "Invalid value: '%s'.", kind)
	}
}
