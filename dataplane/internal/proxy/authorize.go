package proxy

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"

	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/sigv4"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

var errNoRegion = errors.New("the AWS region is not in its base URL: set the provider's region")

// anthropicVersion is the only one that is current.
var anthropicVersion = []string{"2023-06-01"}

// accessKeys remembers the AWS credentials of providers, each with the text that it was read
// from: reading one makes a signer, which keeps the keys that it derives.
type accessKeys struct{ byProvider sync.Map }

type accessKey struct {
	text        string
	credentials *sigv4.Credentials
}

func (k *accessKeys) of(provider *snapshot.Provider, credential secret.Value) (*sigv4.Credentials, error) {
	text := credential.Reveal()
	if known, there := k.byProvider.Load(provider.ID); there && known.(*accessKey).text == text {
		return known.(*accessKey).credentials, nil
	}
	credentials, err := sigv4.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("its AWS credentials: %w", err)
	}
	k.byProvider.Store(provider.ID, &accessKey{text, credentials})
	return credentials, nil
}

// authorize puts the credential where the dialect has it, and says its version where it
// has one and the caller does not. Azure takes keys and, elsewhere, tokens of Entra ID.
// Source: https://platform.claude.com/docs/en/api/overview (Authentication),
// https://learn.microsoft.com/azure/ai-foundry/openai/reference#authentication
func authorize(to http.Header, dialect policyv1.Dialect, credential secret.Value) {
	switch text := []string{credential.Reveal()}; dialect {
	case policyv1.Dialect_DIALECT_ANTHROPIC:
		to["X-Api-Key"] = text
		if to.Get("Anthropic-Version") == "" {
			to["Anthropic-Version"] = anthropicVersion
		}
	case policyv1.Dialect_DIALECT_GEMINI:
		to["X-Goog-Api-Key"] = text
	case policyv1.Dialect_DIALECT_BEDROCK: // sign does
	case policyv1.Dialect_DIALECT_AZURE_OPENAI:
		if isJWT(text[0]) {
			to["Authorization"] = []string{"Bearer " + text[0]}
			return
		}
		to["Api-Key"] = text
	default:
		to["Authorization"] = []string{"Bearer " + text[0]}
	}
}

var jwt = regexp.MustCompile(`^eyJ[\w-]*\.[\w-]+\.[\w-]+$`)

// isJWT tells a token from a key: three parts in base64url, the first a JSON object.
func isJWT(text string) bool { return jwt.MatchString(text) }

// usable tells why a credential that was found can't authorise anything.
func (h *Handler) usable(provider *snapshot.Provider, credential secret.Value) error {
	if provider.Dialect != policyv1.Dialect_DIALECT_BEDROCK {
		return nil
	}
	if regionOf(provider) == "" {
		return errNoRegion
	}
	_, err := h.accessKeys.of(provider, credential)
	return err
}

// sign authorises a request whose header is complete by what it says, where the dialect
// wants that: other dialects' credentials are in the header already.
func (h *Handler) sign(r *http.Request, provider *snapshot.Provider, credential secret.Value, body [][]byte) error {
	if provider.Dialect != policyv1.Dialect_DIALECT_BEDROCK {
		return nil
	}
	credentials, err := h.accessKeys.of(provider, credential)
	if err != nil {
		return err
	}
	digest := sha256.New()
	for _, piece := range body {
		digest.Write(piece)
	}
	return credentials.Authorize(r, [32]byte(digest.Sum(nil)), regionOf(provider), h.config.Now())
}

// regionOf a Bedrock's host, or what the policy says.
func regionOf(provider *snapshot.Provider) string {
	if region := sigv4.Region(provider.Host); region != "" {
		return region
	}
	return provider.Region
}
