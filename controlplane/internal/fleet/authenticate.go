package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/proto/contract/agentjwt"
)

// maxRequestBytes bounds every request of an agent.
const maxRequestBytes = 1 << 20

// ReasonHeader carries why a call was refused, also where the body can't.
const ReasonHeader = "Weir-Reason"

// Agents finds enrolled agents; a NotFound fault where there is none.
type Agents interface {
	Agent(ctx context.Context, id uuid.UUID) (gateway.Agent, error)
}

// Authenticator checks the tokens with which agents sign their calls.
type Authenticator struct {
	agents    *agentCache
	audiences []string
	log       *slog.Logger
}

// NewAuthenticator takes the URLs under which agents know this control plane.
func NewAuthenticator(agents Agents, urls []string, log *slog.Logger) *Authenticator {
	audiences := make([]string, len(urls))
	for i, u := range urls {
		audiences[i] = strings.TrimRight(u, "/")
	}
	return &Authenticator{agents: newAgentCache(agents), audiences: audiences, log: log}
}

type agentKey struct{}

// AgentFrom returns the agent that signed the call.
func AgentFrom(ctx context.Context) (gateway.Agent, bool) {
	agent, ok := ctx.Value(agentKey{}).(gateway.Agent)
	return agent, ok
}

// Unary lets a call through whose token covers this procedure and these bytes.
// Bodies over maxBytes are refused.
func (a *Authenticator) Unary(maxBytes int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, ok := readBody(w, r, maxBytes); ok {
			a.serve(w, r, agentjwt.HashBody(body), next)
		}
	})
}

// readBody reads a body whole and puts it back, or refuses the call.
func readBody(w http.ResponseWriter, r *http.Request, maxBytes int64) (body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		refuseLarge(w, maxBytes)
		return nil, false
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_argument", "body_incomplete", "the body broke off")
		return nil, false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, true
}

func refuseLarge(w http.ResponseWriter, maxBytes int64) {
	refuse(w, http.StatusRequestEntityTooLarge, "resource_exhausted", "body_too_large", fmt.Sprintf("at most %d bytes", maxBytes))
}

// Stream lets a call through whose token covers this procedure.
func (a *Authenticator) Stream(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxRequestBytes)
		a.serve(w, r, "", next)
	})
}

func (a *Authenticator) serve(w http.ResponseWriter, r *http.Request, bodyHash string, next http.Handler) {
	if agent, ok := a.admit(w, r, func(agentjwt.Token) string { return bodyHash }); ok {
		next.ServeHTTP(w, withAgent(r, agent))
	}
}

func withAgent(r *http.Request, agent gateway.Agent) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), agentKey{}, agent))
}

// admit returns who calls, or refuses the call.
func (a *Authenticator) admit(w http.ResponseWriter, r *http.Request, bodyHash func(agentjwt.Token) string) (agent gateway.Agent, ok bool) {
	agent, err := a.authenticate(r, bodyHash)
	if refused := (*fault.Error)(nil); errors.As(err, &refused) {
		refuse(w, http.StatusUnauthorized, "unauthenticated", refused.Reason, refused.Message)
		return agent, false
	}
	if err != nil {
		a.log.Error("agent is not authenticated", "error", err)
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, "unavailable", "store_unavailable", "agents can't be looked up now")
	}
	return agent, err == nil
}

func (a *Authenticator) authenticate(r *http.Request, bodyHash func(agentjwt.Token) string) (gateway.Agent, error) {
	text, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		return gateway.Agent{}, fault.Because(fault.Unauthenticated, "token_missing", "no bearer token")
	}
	token, err := agentjwt.Parse(text)
	if err != nil {
		return gateway.Agent{}, unauthenticated(err)
	}
	id, err := uuid.Parse(token.Agent())
	if err != nil {
		return gateway.Agent{}, unauthenticated(agentjwt.ErrMalformed)
	}
	agent, err := a.agents.find(r.Context(), id)
	if fault.Is(err, fault.NotFound) {
		return gateway.Agent{}, fault.Because(fault.Unauthenticated, "agent_unknown", "no agent %s is enrolled here", id)
	}
	if err != nil {
		return gateway.Agent{}, err
	}
	err = token.Verify(agent.PublicKey, agentjwt.Expect{
		Audiences: a.audiences,
		RPC:       r.URL.Path,
		BodyHash:  bodyHash(token),
		Now:       time.Now(),
	})
	if err != nil {
		return gateway.Agent{}, unauthenticated(err)
	}
	if agent.Revoked() {
		return gateway.Agent{}, agent.Refused()
	}
	return agent, nil
}

func unauthenticated(err error) error {
	reason := agentjwt.Reason(err)
	if reason == agentjwt.Reason(agentjwt.ErrMalformed) {
		err = agentjwt.ErrMalformed // the parser's words are no use to a caller
	}
	return fault.Because(fault.Unauthenticated, reason, "%s", err)
}

// refuse answers in the shape that Connect clients read; streams have the header.
func refuse(w http.ResponseWriter, status int, code, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(ReasonHeader, reason)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": code, "message": reason + ": " + message})
}
