package llmtest

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Wire format: https://platform.openai.com/docs/api-reference/chat

var knownModels = []string{"gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "gpt-5", "gpt-5-mini", "gpt-5-nano"}

func (s *Server) routeOpenAI() {
	s.mux.HandleFunc("POST /v1/chat/completions", s.openAI(s.chatCompletion))
	s.mux.HandleFunc("/v1/chat/completions", s.openAI(func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		s.refuse(w, http.StatusMethodNotAllowed, openAIError{
			Message: "Only POST requests are accepted.", Type: "invalid_request_error", Code: "method_not_supported"})
	}))
	s.routePlanned()
	s.mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Anthropic-Version") != "" {
			s.anthropic(s.listAnthropicModels)(w, r)
			return
		}
		s.openAI(s.listModels)(w, r)
	})
	s.mux.HandleFunc("GET /v1/models/{model}", s.openAI(s.getModel))
	s.mux.HandleFunc("/v1/", s.openAI(func(w http.ResponseWriter, r *http.Request, _ []byte) {
		s.refuse(w, http.StatusNotFound, openAIError{
			Message: fmt.Sprintf("Invalid URL (%s %s)", r.Method, r.URL.Path), Type: "invalid_request_error"})
	}))
}

// openAIError is the inner object of an error answer. Param and Code are null when empty.
type openAIError struct {
	Message, Type, Param, Code string
	// Status is that of an invalid request; zero: 400.
	Status int
}

func (e openAIError) body() []byte {
	return fmt.Appendf(nil, `{"error":{"message":%s,"type":%s,"param":%s,"code":%s}}`,
		quote(e.Message), quote(e.Type), quoteOrNull(e.Param), quoteOrNull(e.Code))
}

func writeOpenAIError(w http.ResponseWriter, status int, e openAIError) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(e.body(), '\n'))
}

// refuse answers what never reached a model.
func (s *Server) refuse(w http.ResponseWriter, status int, e openAIError) {
	s.ledger.refuse()
	writeOpenAIError(w, status, e)
}

// openAI records, authenticates and bounds a request of this dialect.
func (s *Server) openAI(next func(http.ResponseWriter, *http.Request, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, number, err := s.receive(w, r)
		w.Header().Set("X-Request-Id", fmt.Sprintf("req_%032x", number))
		w.Header().Set("Openai-Version", "2020-10-01")
		if !s.authorized(r) {
			s.refuse(w, http.StatusUnauthorized, keyError(r))
			return
		}
		if err != nil {
			s.refuse(w, http.StatusBadRequest, openAIError{
				Message: "The request body could not be read.", Type: "invalid_request_error"})
			return
		}
		next(w, r, body)
	}
}

func (s *Server) authorized(r *http.Request) bool {
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return bearer && subtle.ConstantTimeCompare([]byte(key), []byte(s.options.APIKey)) == 1
}

func keyError(r *http.Request) openAIError {
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || key == "" {
		return openAIError{Type: "invalid_request_error", Message: "You didn't provide an API key. You need to provide your API key " +
			"in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."}
	}
	shown := strings.Repeat("*", len(key))
	if len(key) > 8 {
		shown = key[:4] + strings.Repeat("*", len(key)-8) + key[len(key)-4:]
	}
	return openAIError{Type: "invalid_request_error", Code: "invalid_api_key", Message: "Incorrect API key provided: " + shown +
		". You can find your API key at https://platform.openai.com/account/api-keys."}
}

func modelError(model string) openAIError {
	return openAIError{Type: "invalid_request_error", Code: "model_not_found",
		Message: "The model `" + model + "` does not exist or you do not have access to it."}
}

// statusError is what the provider says with an error status, and its headers.
func statusError(h http.Header, fault Fault) openAIError {
	fault.retryAfter(h)
	if fault.RetryAfter > 0 {
		h.Set("Retry-After-Ms", strconv.FormatInt(fault.RetryAfter.Milliseconds(), 10))
	}
	switch fault.Status {
	case http.StatusBadRequest:
		return openAIError{Message: "The request is not valid.", Type: "invalid_request_error"}
	case http.StatusUnauthorized:
		return openAIError{Message: "Incorrect API key provided.", Type: "invalid_request_error", Code: "invalid_api_key"}
	case http.StatusForbidden:
		return openAIError{Message: "Country, region, or territory not supported", Type: "request_forbidden", Code: "unsupported_country_region_territory"}
	case http.StatusTooManyRequests:
		return openAIError{Message: "Rate limit reached for requests. Please try again later.", Type: "requests", Code: "rate_limit_exceeded"}
	case http.StatusServiceUnavailable, 529:
		return openAIError{Message: "The engine is currently overloaded, please try again later.", Type: "overloaded_error"}
	}
	return openAIError{Message: "The server had an error while processing your request. Sorry about that!", Type: "server_error"}
}

func (s *Server) models() []string {
	if s.options.Models == nil {
		return knownModels
	}
	return s.options.Models
}

func (s *Server) serves(model string) bool {
	return s.options.Models == nil || slices.Contains(s.options.Models, model)
}

type openAIModel struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func describeModel(id string) openAIModel {
	return openAIModel{ID: id, Object: "model", Created: 1715367049, OwnedBy: "system"}
}

func (s *Server) listModels(w http.ResponseWriter, _ *http.Request, _ []byte) {
	list := struct {
		Object string        `json:"object"`
		Data   []openAIModel `json:"data"`
	}{Object: "list", Data: []openAIModel{}}
	for _, id := range s.models() {
		list.Data = append(list.Data, describeModel(id))
	}
	writeJSON(w, http.StatusOK, list)
}

func (s *Server) getModel(w http.ResponseWriter, r *http.Request, _ []byte) {
	id := r.PathValue("model")
	if !slices.Contains(s.models(), id) {
		s.refuse(w, http.StatusNotFound, modelError(id))
		return
	}
	writeJSON(w, http.StatusOK, describeModel(id))
}
