package llmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
)

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
	c := s.planChat(request, fault)
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

// plan decides the whole answer before its first byte.
func (s *Server) plan(request chatRequest, fault Fault) *chatReply {
	answer := override(s.options.AnswerTokens, fault.AnswerTokens)
	reasoning := override(s.options.ReasoningTokens, fault.ReasoningTokens)
	if request.Reasons && reasoning == 0 {
		reasoning = defaultThinkingTokens
	}
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
		uncapped: override(s.options.AnswerTokens, fault.AnswerTokens),
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
