package llmtest

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
)

// Wire format: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

func (s *Server) routeBedrock() {
	s.mux.HandleFunc("POST /model/{model}/converse", s.bedrock(s.converse))
	s.mux.HandleFunc("POST /model/{model}/converse-stream", s.bedrock(s.converse))
	s.mux.HandleFunc("/model/", s.bedrock(func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		s.refuseBedrock(w, bedrockError{http.StatusNotFound, "UnknownOperationException", "The requested operation is not recognized by the service."})
	}))
}

// bedrockError is an error answer. Its type is told in a header, not in the body.
type bedrockError struct {
	Status        int
	Type, Message string
}

func (e bedrockError) body() []byte { return fmt.Appendf(nil, `{"message":%s}`, quote(e.Message)) }

func invalidBedrock(format string, args ...any) bedrockError {
	return bedrockError{http.StatusBadRequest, "ValidationException", fmt.Sprintf(format, args...)}
}

func writeBedrockError(w http.ResponseWriter, status int, e bedrockError) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", e.Type+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	w.WriteHeader(status)
	_, _ = w.Write(e.body())
}

// refuseBedrock answers what never reached a model.
func (s *Server) refuseBedrock(w http.ResponseWriter, e bedrockError) {
	s.ledger.refuse()
	writeBedrockError(w, e.Status, e)
}

// bedrock records, authenticates and bounds a request of this dialect.
func (s *Server) bedrock(next func(http.ResponseWriter, *http.Request, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, number, err := s.receive(w, r)
		w.Header().Set("X-Amzn-Requestid", fmt.Sprintf("00000000-0000-4000-8000-%012x", number))
		if err != nil {
			s.refuseBedrock(w, bedrockError{http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "Request body is too large."})
			return
		}
		if refusal := s.unknownToBedrock(r, body); refusal != nil {
			s.refuseBedrock(w, *refusal)
			return
		}
		next(w, r, body)
	}
}

// unknownToBedrock refuses callers that neither sign nor have a Bedrock API key.
func (s *Server) unknownToBedrock(r *http.Request, body []byte) *bedrockError {
	authorization := r.Header.Get("Authorization")
	key, bearer := strings.CutPrefix(authorization, "Bearer ")
	switch {
	case authorization == "":
		return &bedrockError{http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token"}
	case !bearer:
		return s.options.AWS.unsigned(r, body, "bedrock", s.options.Now())
	case subtle.ConstantTimeCompare([]byte(key), []byte(s.options.APIKey)) != 1:
		return &bedrockError{http.StatusForbidden, "AccessDeniedException", "Authentication failed: Please make sure your API Key is valid."}
	}
	return nil
}

// converse serves both operations.
func (s *Server) converse(w http.ResponseWriter, r *http.Request, body []byte) {
	model := r.PathValue("model")
	if !s.serves(model) {
		s.refuseBedrock(w, invalidBedrock("The provided model identifier is invalid."))
		return
	}
	request, invalid := parseConverse(model, body)
	if invalid != "" {
		s.refuseBedrock(w, invalidBedrock("%s", invalid))
		return
	}
	fault, err := s.faultFor(r, model)
	if err != nil {
		s.refuseBedrock(w, invalidBedrock("%s: %v", FaultHeader, err))
		return
	}
	request.Stream = strings.HasSuffix(r.URL.Path, "/converse-stream")
	c := &converseReply{messageReply: s.planMessage(request.messageRequest, fault), request: request}
	for i := range c.blocks {
		c.blocks[i].id = strings.Replace(c.blocks[i].id, "toolu_", "tooluse_", 1)
	}
	c.eventType = "application/vnd.amazon.eventstream"
	c.serve(w, s.pace(r, fault), c)
}

// bedrockFault is what the provider says with an error status.
func bedrockFault(fault Fault) bedrockError {
	e := bedrockError{Status: fault.Status}
	switch fault.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Type, e.Message = "AccessDeniedException", "You don't have access to the model with the specified model ID."
	case http.StatusNotFound:
		e.Type, e.Message = "ResourceNotFoundException", "Could not resolve the foundation model from the provided model identifier."
	case http.StatusRequestTimeout:
		e.Type, e.Message = "ModelTimeoutException", "Model took too long to process the request."
	case http.StatusFailedDependency:
		e.Type, e.Message = "ModelErrorException", "The model returned an error. Try your request again."
	case http.StatusTooManyRequests:
		e.Type, e.Message = "ThrottlingException", "Too many requests, please wait before trying again."
	case http.StatusServiceUnavailable:
		e.Type, e.Message = "ServiceUnavailableException", "Bedrock is unable to process your request."
	default:
		e.Type, e.Message = "InternalServerException", "The system encountered an unexpected error during processing. Try your request again."
		if 0 < fault.Status && fault.Status < http.StatusInternalServerError {
			e.Type, e.Message = "ValidationException", "The request is not valid."
		}
	}
	return e
}
