package llmtest

import (
	"context"
	"crypto/subtle"
	"net/http"
	"strings"
)

// Wire format: https://learn.microsoft.com/azure/ai-foundry/openai/reference

func (s *Server) routeAzure() { s.mux.HandleFunc("/openai/", s.azure) }

// asItCame is the request that a caller sent, in the context of the one that is served.
type asItCame struct{}

// azure serves a resource of Azure OpenAI: OpenAI's API under paths and keys of its own. A
// deployment has the name of its model.
func (s *Server) azure(w http.ResponseWriter, r *http.Request) {
	rest, there := azureRest(r)
	switch {
	case !s.knownToAzure(r):
		s.refuseAzure(w, r, http.StatusUnauthorized, "401", "Access denied due to invalid subscription key or wrong API endpoint. "+
			"Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.")
	case !there:
		s.refuseAzure(w, r, http.StatusNotFound, "404", "Resource not found")
	default:
		as := r.Clone(context.WithValue(r.Context(), asItCame{}, r))
		as.URL.Path = "/v1/" + rest
		as.Header.Del("Api-Key")
		as.Header.Set("Authorization", "Bearer "+s.options.APIKey)
		s.mux.ServeHTTP(w, as)
	}
}

// azureRest is the path of OpenAI's API. Deployments want a version in the query.
func azureRest(r *http.Request) (rest string, there bool) {
	path := strings.TrimPrefix(r.URL.Path, "/openai/")
	if rest, there = strings.CutPrefix(path, "v1/"); there {
		return rest, true
	}
	if r.URL.Query().Get("api-version") == "" {
		return "", false
	}
	if path == "responses" || path == "models" {
		return path, true
	}
	deployed, there := strings.CutPrefix(path, "deployments/")
	_, rest, named := strings.Cut(deployed, "/")
	return rest, there && named
}

// knownToAzure takes a key, or a token of Entra ID where Options.Bearer takes it.
func (s *Server) knownToAzure(r *http.Request) bool {
	if key := r.Header.Get("Api-Key"); key != "" {
		return subtle.ConstantTimeCompare([]byte(key), []byte(s.options.APIKey)) == 1
	}
	token, there := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return there && s.options.Bearer != nil && s.options.Bearer(token)
}

func (s *Server) refuseAzure(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	_, _, _ = s.receive(w, r)
	s.refuse(w, status, openAIError{Message: message, Code: code})
}
