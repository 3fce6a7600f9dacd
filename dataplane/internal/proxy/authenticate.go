package proxy

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// authenticate finds the caller's key in the policy.
func (e *exchange) authenticate() *dialect.Refusal {
	if e.policy == nil {
		return e.handler.withoutPolicy()
	}
	text := keyText(e.r)
	if text == "" {
		return keyMissing
	}
	standing := e.identify(text)
	if standing == snapshot.Unknown {
		return e.keyUnknown()
	}
	return barred(standing)
}

// barred says why a key that the policy knows can't be used; nil: it can.
func barred(standing snapshot.Standing) *dialect.Refusal {
	switch standing {
	case snapshot.Revoked:
		return keyRevoked
	case snapshot.Expired:
		return keyExpired
	case snapshot.Rotated:
		return keyRotated
	}
	return nil
}

// identify notes whose request it is, also where it is refused for that.
func (e *exchange) identify(text string) snapshot.Standing {
	key, standing := e.policy.Key(sha256.Sum256([]byte(text)), e.begun)
	if key != nil {
		e.record.KeyId, e.record.ProjectId = key.ID, key.ProjectID
	}
	if standing == snapshot.Good {
		e.key = key
	}
	return standing
}

// refuseElsewhere refuses what goes to no surface: whoever sends it.
func (e *exchange) refuseElsewhere(refusal *dialect.Refusal) {
	if text := keyText(e.r); text != "" && e.policy != nil {
		e.identify(text)
	}
	e.refuse(refusal)
}

// keyUnknown tells how old the policy is that does not know the key: the key may
// be newer.
func (e *exchange) keyUnknown() *dialect.Refusal {
	confirmed := e.handler.config.Freshness()
	if confirmed.IsZero() {
		return unauthenticated("key_unknown", "This key is not in the policy of this gateway, which the control plane has not confirmed since the agent started.")
	}
	age := max(0, e.begun.Sub(confirmed)).Truncate(time.Second)
	e.w.Header().Set("X-Weir-Policy-Age", strconv.FormatInt(int64(age/time.Second), 10))
	return unauthenticated("key_unknown", "This key is not in the policy of this gateway, which the control plane confirmed "+age.String()+" ago. Keys of this gateway begin with weir_; a provider's own key does not open it.")
}

// keyText finds the key where SDKs of the known dialects put it.
func keyText(r *http.Request) string {
	if scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "bearer") {
		if text := strings.TrimSpace(rest); text != "" {
			return text
		}
	}
	for _, name := range []string{"X-Api-Key", "X-Goog-Api-Key", "Api-Key"} {
		if text := r.Header.Get(name); text != "" {
			return text
		}
	}
	if r.URL.RawQuery == "" {
		return ""
	}
	return r.URL.Query().Get("key")
}

// notInQuery are parameters by which a caller would put its own credential beside the
// gateway's, have another project billed, or have Google leave usage out of its answer.
// Source: https://cloud.google.com/apis/docs/system-parameters
var notInQuery = set([]string{"key", "access_token", "oauth_token", "userProject", "fields", "callback", "httpMethod"})

// upstreamQuery takes out of a query what is not for the provider, by whatever separator
// that may read it, and leaves the other parameters as they are.
func upstreamQuery(query string) string {
	var kept []string
	for _, part := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err == nil && !notInQuery[strings.TrimPrefix(plain, "$")] {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}
