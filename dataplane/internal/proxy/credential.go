package proxy

import (
	"errors"

	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

var errNoCredential = errors.New("the policy has none for this gateway: set the provider's credential_ref, or seal one for this gateway")

// credential is what a provider is called with.
func (h *Handler) credential(p *snapshot.Provider) (secret.Value, error) {
	switch {
	case p.Sealed != nil:
		return h.config.Sealed.Open(*p.Sealed)
	case p.CredentialRef == "":
		return secret.Value{}, errNoCredential
	}
	return h.config.Secrets.Resolve(p.CredentialRef)
}
