package llmtest

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Wire format: https://ai.google.dev/api/generate-content

var knownGeminiModels = []string{"gemini-2.5-flash", "gemini-2.5-pro", "gemini-3-flash", "gemini-3.1-pro", "gemini-embedding-001"}

func (s *Server) routeGemini() {
	s.mux.HandleFunc("POST /v1beta/models/{call...}", s.gemini(s.geminiCall))
	s.mux.HandleFunc("GET /v1beta/models", s.gemini(s.listGeminiModels))
	s.mux.HandleFunc("GET /v1beta/models/{model}", s.gemini(s.getGeminiModel))
	s.mux.HandleFunc("/v1beta/", s.gemini(s.noGemini))
	s.mux.HandleFunc("POST "+vertexModels+"{call...}", s.google(s.unknownVertex, s.vertexCall))
	s.mux.HandleFunc("/v1/projects/", s.google(s.unknownVertex, s.noGemini))
}

// vertexModels is where Vertex AI has the models of a project.
const vertexModels = "/v1/projects/{project}/locations/{location}/publishers/google/models/"

func (s *Server) noGemini(w http.ResponseWriter, r *http.Request, _ []byte) {
	s.refuseGemini(w, false, notFoundGemini(r.Method+" "+r.URL.Path))
}

// geminiError is the inner object of an error answer.
type geminiError struct {
	Code            int
	Message, Status string
	Details         string // JSON of the list; empty: none
}

func (e geminiError) body() []byte {
	b := fmt.Appendf(nil, `{"error":{"code":%d,"message":%s,"status":"%s"`, e.Code, quote(e.Message), e.Status)
	if e.Details != "" {
		b = fmt.Appendf(b, `,"details":%s`, e.Details)
	}
	return append(b, "}}"...)
}

func invalidGemini(format string, args ...any) *geminiError {
	return &geminiError{Code: http.StatusBadRequest, Message: fmt.Sprintf(format, args...), Status: "INVALID_ARGUMENT"}
}

func notFoundGemini(what string) geminiError {
	return geminiError{Code: http.StatusNotFound, Status: "NOT_FOUND", Message: what + " is not found for API version v1beta, " +
		"or is not supported for this method. Call ListModels to see the list of available models and their supported methods."}
}

// writeGeminiError answers in JSON; a stream that is an array has its error in one.
func writeGeminiError(w http.ResponseWriter, status int, array bool, e geminiError) {
	body := e.body()
	if array {
		body = append(append([]byte{'['}, body...), ']')
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// refuseGemini answers what never reached a model.
func (s *Server) refuseGemini(w http.ResponseWriter, array bool, e geminiError) {
	s.ledger.refuse()
	writeGeminiError(w, e.Code, array, e)
}

// gemini is google with the key of Gemini's own API.
func (s *Server) gemini(next func(http.ResponseWriter, *http.Request, []byte)) http.HandlerFunc {
	return s.google(s.unknownGemini, func(w http.ResponseWriter, r *http.Request, body []byte) {
		if gjson.GetBytes(body, "labels").Exists() {
			s.refuseGemini(w, false, *invalidGemini(`Invalid JSON payload received. Unknown name "labels": Cannot find field.`))
			return
		}
		next(w, r, body)
	})
}

// google records, authenticates and bounds a request of this dialect.
func (s *Server) google(unknown func(*http.Request) *geminiError, next func(http.ResponseWriter, *http.Request, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _, err := s.receive(w, r)
		if refusal := unknown(r); refusal != nil {
			s.refuseGemini(w, false, *refusal)
			return
		}
		if err != nil {
			s.refuseGemini(w, false, *invalidGemini("The request body could not be read."))
			return
		}
		next(w, r, body)
	}
}

// unknownGemini refuses callers without the key, which stands in a header or the query.
func (s *Server) unknownGemini(r *http.Request) *geminiError {
	key := r.Header.Get("X-Goog-Api-Key")
	if key == "" {
		key = r.URL.Query().Get("key")
	}
	switch {
	case key == "":
		return &geminiError{Code: http.StatusForbidden, Status: "PERMISSION_DENIED", Message: "Method doesn't allow unregistered callers " +
			"(callers without established identity). Please use API Key or other form of API consumer identity to call this API."}
	case subtle.ConstantTimeCompare([]byte(key), []byte(s.options.APIKey)) != 1:
		e := invalidGemini("API key not valid. Please pass a valid API key.")
		e.Details = `[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]`
		return e
	}
	return nil
}

// unknownVertex refuses callers without an OAuth token.
func (s *Server) unknownVertex(r *http.Request) *geminiError {
	token, there := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	accepted := there && subtle.ConstantTimeCompare([]byte(token), []byte(s.options.APIKey)) == 1
	if s.options.Bearer != nil {
		accepted = there && s.options.Bearer(token)
	}
	if accepted {
		return nil
	}
	return &geminiError{Code: http.StatusUnauthorized, Status: "UNAUTHENTICATED", Message: "Request had invalid authentication credentials. " +
		"Expected OAuth 2 access token, login cookie or other valid authentication credential."}
}

// geminiStatus is what the provider says with an error status. How long to wait is in the
// body, in no header.
func geminiStatus(fault Fault) geminiError {
	e := geminiError{Code: fault.Status}
	switch fault.Status {
	case http.StatusBadRequest:
		e.Status, e.Message = "INVALID_ARGUMENT", "Request contains an invalid argument."
	case http.StatusUnauthorized:
		e.Status, e.Message = "UNAUTHENTICATED", "Request had invalid authentication credentials."
	case http.StatusForbidden:
		e.Status, e.Message = "PERMISSION_DENIED", "The caller does not have permission"
	case http.StatusTooManyRequests:
		e.Status, e.Message = "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."
	case http.StatusServiceUnavailable:
		e.Status, e.Message = "UNAVAILABLE", "The model is overloaded. Please try again later."
	case http.StatusGatewayTimeout:
		e.Status, e.Message = "DEADLINE_EXCEEDED", "The request timed out. Please try again."
	default:
		e = geminiMidway
		e.Code = fault.Status
	}
	if fault.RetryAfter > 0 {
		e.Details = fmt.Sprintf(`[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"%gs"}]`, fault.RetryAfter.Seconds())
	}
	return e
}

var geminiMidway = geminiError{Code: http.StatusInternalServerError, Status: "INTERNAL", Message: "An internal error has occurred. Please retry."}

func (s *Server) geminiModels() []string {
	if s.options.Models == nil {
		return knownGeminiModels
	}
	return s.options.Models
}

type geminiModel struct {
	Name             string   `json:"name"`
	Version          string   `json:"version"`
	DisplayName      string   `json:"displayName"`
	InputTokenLimit  int      `json:"inputTokenLimit"`
	OutputTokenLimit int      `json:"outputTokenLimit"`
	Methods          []string `json:"supportedGenerationMethods"`
}

func describeGeminiModel(id string) geminiModel {
	return geminiModel{Name: "models/" + id, Version: "001", DisplayName: id, InputTokenLimit: 1 << 20, OutputTokenLimit: 1 << 16,
		Methods: []string{"generateContent", "countTokens"}}
}

func (s *Server) listGeminiModels(w http.ResponseWriter, _ *http.Request, _ []byte) {
	list := struct {
		Models []geminiModel `json:"models"`
	}{Models: []geminiModel{}}
	for _, id := range s.geminiModels() {
		list.Models = append(list.Models, describeGeminiModel(id))
	}
	writeJSON(w, http.StatusOK, list)
}

func (s *Server) getGeminiModel(w http.ResponseWriter, r *http.Request, _ []byte) {
	id := strings.TrimPrefix(r.PathValue("model"), "models/")
	if !slices.Contains(s.geminiModels(), id) {
		s.refuseGemini(w, false, notFoundGemini("models/"+id))
		return
	}
	writeJSON(w, http.StatusOK, describeGeminiModel(id))
}
