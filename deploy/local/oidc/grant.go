package oidc

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"sync"
	"time"

	protocol "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	codeLifespan  = 2 * time.Minute
	tokenLifespan = time.Hour
)

// grants are the codes and access tokens given out, by the hash of each. They are forgotten on restart.
type grants struct {
	mu     sync.Mutex
	codes  map[[32]byte]*grant
	tokens map[[32]byte]grant
}

// grant is what somebody who logged in allows a client.
type grant struct {
	request *protocol.AuthRequest
	who     login
	until   time.Time
	used    bool     // of a code: it was redeemed
	token   [32]byte // of a code: the hash of the access token that it was redeemed for
}

func newGrants() *grants {
	return &grants{codes: map[[32]byte]*grant{}, tokens: map[[32]byte]grant{}}
}

func (g *grants) addCode(given grant, now time.Time) string {
	given.until = now.Add(codeLifespan)
	code := newToken()
	g.mu.Lock()
	defer g.mu.Unlock()
	maps.DeleteFunc(g.codes, func(_ [32]byte, old *grant) bool { return now.After(old.until) })
	maps.DeleteFunc(g.tokens, func(_ [32]byte, old grant) bool { return now.After(old.until) })
	g.codes[sha256.Sum256([]byte(code))] = &given
	return code
}

// redeem returns the grant and a new access token for it. A code can be redeemed once, by the client it was given to; a
// second attempt also takes back the token of the first (RFC 6749, section 4.1.2).
func (g *grants) redeem(r *protocol.AccessTokenRequest, now time.Time) (grant, string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	found := g.codes[sha256.Sum256([]byte(r.Code))]
	if found == nil || found.request.ClientID != r.ClientID || found.request.RedirectURI != r.RedirectURI || now.After(found.until) {
		return grant{}, "", protocol.ErrInvalidGrant().WithDescription("The code is unknown, expired, or of another client or redirect URI.")
	}
	if found.used {
		delete(g.tokens, found.token)
		return grant{}, "", protocol.ErrInvalidGrant().WithDescription("The code was used before.")
	}
	challenge := protocol.CodeChallenge{Challenge: found.request.CodeChallenge, Method: found.request.CodeChallengeMethod}
	if err := op.AuthorizeCodeChallenge(r.CodeVerifier, &challenge); err != nil {
		return grant{}, "", err
	}
	token := newToken()
	found.used, found.token = true, sha256.Sum256([]byte(token))
	g.tokens[found.token] = grant{request: found.request, who: found.who, until: now.Add(tokenLifespan)}
	return *found, token, nil
}

func (g *grants) find(token string, now time.Time) (grant, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	found, ok := g.tokens[sha256.Sum256([]byte(token))]
	return found, ok && now.Before(found.until)
}

func newToken() string { return base64.RawURLEncoding.EncodeToString(randomBytes()) }
