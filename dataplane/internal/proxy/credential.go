package proxy

import (
	"errors"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

var errNoCredential = errors.New("the policy has none for this gateway: set the provider's credential_ref, or seal one for this gateway")

// open is the credential of a provider that this agent may and can use. Else refusal is
// for the caller, and why for who runs the agent.
func (h *Handler) open(p *snapshot.Provider) (value secret.Value, refusal *dialect.Refusal, why string) {
	if p.Blocked != "" {
		return secret.Value{}, providerNotAllowed, p.Blocked
	}
	value, err := h.credential(p)
	if err == nil {
		err = h.usable(p, value)
	}
	if err != nil {
		return secret.Value{}, credentialUnavailable, err.Error()
	}
	return value, nil, ""
}

// credential is what a provider is called with.
func (h *Handler) credential(p *snapshot.Provider) (secret.Value, error) {
	value, err := h.held(p)
	if err == nil && p.Dialect == policyv1.Dialect_DIALECT_VERTEX {
		return h.google.Of(value, h.config.Now())
	}
	return value, err
}

// held is what the policy or its reference has.
func (h *Handler) held(p *snapshot.Provider) (secret.Value, error) {
	switch {
	case p.Sealed != nil:
		return h.config.Sealed.Open(*p.Sealed)
	case p.CredentialRef == "":
		return secret.Value{}, errNoCredential
	}
	return h.config.Secrets.Resolve(p.CredentialRef)
}
