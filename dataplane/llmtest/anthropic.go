package llmtest

import (
	"crypto/subtle"
	"fmt"
	"net/http"
)

// Wire format: https://platform.claude.com/docs/en/api/messages

func (s *Server) routeAnthropic() {
	s.mux.HandleFunc("POST /v1/messages", s.anthropic(s.messages))
	s.mux.HandleFunc("POST /v1/messages/count_tokens", s.anthropic(s.countTokens))
	s.mux.HandleFunc("/v1/messages", s.anthropic(func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		s.refuseAnthropic(w, http.StatusMethodNotAllowed, anthropicError{"invalid_request_error", "Method Not Allowed"})
	}))
	s.mux.HandleFunc("/v1/messages/", s.anthropic(func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		s.refuseAnthropic(w, http.StatusNotFound, anthropicError{"not_found_error", "Not found"})
	}))
}

// anthropicError is the inner object of an error answer.
type anthropicError struct{ Type, Message string }

func (e anthropicError) body(id string) []byte {
	return fmt.Appendf(nil, `{"type":"error","error":{"type":%s,"message":%s},"request_id":%s}`, quote(e.Type), quote(e.Message), quote(id))
}

func writeAnthropicError(w http.ResponseWriter, status int, e anthropicError) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(e.body(w.Header().Get("Request-Id")))
}

// refuseAnthropic answers what never reached a model.
func (s *Server) refuseAnthropic(w http.ResponseWriter, status int, e anthropicError) {
	s.ledger.refuse()
	writeAnthropicError(w, status, e)
}

// anthropic records, authenticates and bounds a request of this dialect.
func (s *Server) anthropic(next func(http.ResponseWriter, *http.Request, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, number, err := s.receive(w, r)
		w.Header().Set("Request-Id", fmt.Sprintf("req_%024d", number))
		switch {
		case r.Header.Get("X-Api-Key") == "":
			s.refuseAnthropic(w, http.StatusUnauthorized, anthropicError{"authentication_error", "x-api-key header is required"})
		case subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Api-Key")), []byte(s.options.APIKey)) != 1:
			s.refuseAnthropic(w, http.StatusUnauthorized, anthropicError{"authentication_error", "invalid x-api-key"})
		case r.Header.Get("Anthropic-Version") == "":
			s.refuseAnthropic(w, http.StatusBadRequest, anthropicError{"invalid_request_error", "anthropic-version: header is required"})
		case err != nil:
			s.refuseAnthropic(w, http.StatusRequestEntityTooLarge, anthropicError{"request_too_large", "Request exceeds the maximum size"})
		default:
			next(w, r, body)
		}
	}
}

// messages serves POST /v1/messages.
func (s *Server) messages(w http.ResponseWriter, r *http.Request, body []byte) {
	request, invalid := parseMessages(body, true)
	if invalid != "" {
		s.refuseAnthropic(w, http.StatusBadRequest, anthropicError{"invalid_request_error", invalid})
		return
	}
	if !s.serves(request.Model) {
		s.refuseAnthropic(w, http.StatusNotFound, anthropicError{"not_found_error", "model: " + request.Model})
		return
	}
	fault, err := s.faultFor(r, request.Model)
	if err != nil {
		s.refuseAnthropic(w, http.StatusBadRequest, anthropicError{"invalid_request_error", FaultHeader + ": " + err.Error()})
		return
	}
	m := s.planMessage(request, fault)
	m.id = fmt.Sprintf("msg_%024d", s.served.Load())
	m.serve(w, s.pace(r, fault), m)
}

// countTokens serves POST /v1/messages/count_tokens, which costs nothing.
func (s *Server) countTokens(w http.ResponseWriter, _ *http.Request, body []byte) {
	request, invalid := parseMessages(body, false)
	if invalid != "" {
		s.refuseAnthropic(w, http.StatusBadRequest, anthropicError{"invalid_request_error", invalid})
		return
	}
	writeJSON(w, http.StatusOK, map[string]int{"input_tokens": request.PromptTokens})
}

var anthropicMidway = anthropicError{"overloaded_error", "Overloaded"}

// anthropicStatusError is what the provider says with an error status, and its headers.
func anthropicStatusError(h http.Header, fault Fault) anthropicError {
	fault.retryAfter(h)
	switch fault.Status {
	case http.StatusUnauthorized:
		return anthropicError{"authentication_error", "invalid x-api-key"}
	case http.StatusPaymentRequired:
		return anthropicError{"billing_error", "Your credit balance is too low"}
	case http.StatusForbidden:
		return anthropicError{"permission_error", "Your API key does not have permission to use the specified resource"}
	case http.StatusNotFound:
		return anthropicError{"not_found_error", "Not found"}
	case http.StatusRequestEntityTooLarge:
		return anthropicError{"request_too_large", "Request exceeds the maximum size"}
	case http.StatusTooManyRequests:
		return anthropicError{"rate_limit_error", "This request would exceed your organization's rate limit"}
	case http.StatusGatewayTimeout:
		return anthropicError{"timeout_error", "Request timed out"}
	case 529:
		return anthropicMidway
	}
	if fault.Status < http.StatusInternalServerError {
		return anthropicError{"invalid_request_error", "The request is not valid."}
	}
	return anthropicError{"api_error", "Internal server error"}
}

// knownClaudeModels are listed where Options.Models names none.
var knownClaudeModels = []string{"claude-haiku-4-5", "claude-opus-4-8", "claude-sonnet-5"}

type anthropicModel struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	DisplayName string `json:"display_name"`
	CreatedAt   string `json:"created_at"`
}

// listAnthropicModels answers with one page of all.
func (s *Server) listAnthropicModels(w http.ResponseWriter, _ *http.Request, _ []byte) {
	ids := s.options.Models
	if ids == nil {
		ids = knownClaudeModels
	}
	page := struct {
		Data    []anthropicModel `json:"data"`
		HasMore bool             `json:"has_more"`
		FirstID string           `json:"first_id,omitempty"`
		LastID  string           `json:"last_id,omitempty"`
	}{Data: []anthropicModel{}}
	for _, id := range ids {
		page.Data = append(page.Data, anthropicModel{"model", id, id, "2026-01-01T00:00:00Z"})
	}
	if len(ids) > 0 {
		page.FirstID, page.LastID = ids[0], ids[len(ids)-1]
	}
	writeJSON(w, http.StatusOK, page)
}
