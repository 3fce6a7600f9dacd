package llmtest

import (
	"encoding/json"
	"fmt"
	"net/http"

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
}

// chatCompletion serves POST /v1/chat/completions.
func (s *Server) chatCompletion(w http.ResponseWriter, r *http.Request, body []byte) {
	request, invalid := parseChat(body)
	if invalid != nil {
		s.refuse(w, http.StatusBadRequest, *invalid)
		return
	}
	if !s.serves(request.Model) {
		s.refuse(w, http.StatusNotFound, modelError(request.Model))
		return
	}
	fault, err := s.faultFor(r, request.Model)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, openAIError{Message: FaultHeader + ": " + err.Error(), Type: "invalid_request_error"})
		return
	}
	c := s.plan(request, fault)
	c.id = fmt.Sprintf("chatcmpl-%029d", s.served.Load())
	c.created = s.options.Now().Unix()
	c.serve(w, s.pace(r, fault), c)
}

func (s *Server) faultFor(r *http.Request, model string) (Fault, error) {
	header := r.Header.Get(FaultHeader)
	if header == "" {
		return s.script.take(model), nil
	}
	var fault Fault
	err := json.Unmarshal([]byte(header), &fault)
	return fault, err
}

func parseChat(body []byte) (chatRequest, *openAIError) {
	if !gjson.ValidBytes(body) || !gjson.ParseBytes(body).IsObject() {
		return chatRequest{}, &openAIError{Type: "invalid_request_error",
			Message: "We could not parse the JSON body of your request. The OpenAI API expects a JSON payload."}
	}
	request := chatRequest{N: 1, PromptTokens: tokensPerPrompt}
	var messages gjson.Result
	var invalid *openAIError
	gjson.ParseBytes(body).ForEach(func(name, value gjson.Result) bool {
		if name.Str == "messages" {
			messages = value
			return true
		}
		invalid = request.set(name.Str, value)
		return invalid == nil
	})
	switch {
	case invalid != nil:
		return request, invalid
	case request.Model == "":
		return request, &openAIError{Message: "you must provide a model parameter", Type: "invalid_request_error"}
	case !messages.IsArray() || messages.Get("#").Int() == 0:
		return request, &openAIError{Type: "invalid_request_error", Param: "messages", Code: "missing_required_parameter",
			Message: "Missing required parameter: 'messages'."}
	}
	request.read(messages)
	return request, nil
}

// set takes over one top-level field.
func (c *chatRequest) set(name string, value gjson.Result) *openAIError {
	if value.Type == gjson.Null {
		return nil
	}
	switch name {
	case "model":
		c.Model = value.String()
	case "stream":
		c.Stream = value.Bool()
	case "stream_options":
		c.IncludeUsage = value.Get("include_usage").Bool()
	case "n":
		c.N = int(value.Int())
		return between(name, value, 128)
	case "max_tokens":
		if c.Cap == 0 {
			c.Cap = int(value.Int())
		}
		return between(name, value, 1<<30)
	case "max_completion_tokens":
		c.Cap = int(value.Int())
		return between(name, value, 1<<30)
	}
	return nil
}

func between(name string, value gjson.Result, most int64) *openAIError {
	if value.Type == gjson.Number && value.Num == float64(value.Int()) && value.Int() >= 1 && value.Int() <= most {
		return nil
	}
	return &openAIError{Type: "invalid_request_error", Param: name, Code: "invalid_value",
		Message: fmt.Sprintf("Invalid '%s': expected an integer from 1 to %d.", name, most)}
}

func (c *chatRequest) read(messages gjson.Result) {
	messages.ForEach(func(_, message gjson.Result) bool {
		text := textOf(message.Get("content"))
		if message.Get("role").Str == "user" {
			c.LastUser = text
		}
		c.PromptTokens += tokensPerMessage + CountWords(text)
		return true
	})
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

// plan decides the whole answer before its first byte.
func (s *Server) plan(request chatRequest, fault Fault) *chatReply {
	answer := override(s.options.AnswerTokens, fault.AnswerTokens)
	reasoning := override(s.options.ReasoningTokens, fault.ReasoningTokens)
	finish := "stop"
	if request.Cap > 0 && answer+reasoning > request.Cap {
		finish = "length"
		reasoning = min(reasoning, request.Cap)
		answer = request.Cap - reasoning
	}
	cached := min(override(s.options.CachedTokens, fault.CachedTokens), request.PromptTokens)
	c := &chatReply{
		reply: s.reply(request.Model, request.Stream, fault), request: request,
		first: firstWord(request.LastUser), finish: finish, answer: answer, reasoning: reasoning, cached: cached,
	}
	c.prompt = Tokens{Input: int64(request.PromptTokens - cached), CachedInput: int64(cached)}
	return c
}

func override[T ~int | ~int64](ours, theirs T) T {
	if theirs > 0 {
		return theirs
	}
	return ours
}
