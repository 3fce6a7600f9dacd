package oidc

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/crypto"
	protocol "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// discovery is https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
func (p *provider) discovery(w http.ResponseWriter, _ *http.Request) {
	issuer := p.config.Issuer
	writeJSON(w, map[string]any{
		"issuer":                                issuer,
		"authorization_endpoint":                issuer + "/authorize",
		"token_endpoint":                        issuer + "/token",
		"userinfo_endpoint":                     issuer + "/userinfo",
		"jwks_uri":                              issuer + "/jwks.json",
		"end_session_endpoint":                  issuer + "/logout",
		"scopes_supported":                      scopes,
		"response_types_supported":              []string{"code"},
		"response_modes_supported":              []string{"query"},
		"grant_types_supported":                 []string{"authorization_code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":      []string{"S256"},
		"prompt_values_supported":               []string{"none", "login", "select_account"},
		"request_parameter_supported":           false,
		"request_uri_parameter_supported":       false,
		"claims_supported":                      []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "email", "email_verified", "name"},
	})
}

func (p *provider) keys(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: &p.key.PublicKey, KeyID: p.keyID, Algorithm: string(jose.RS256), Use: "sig"},
	}})
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	answer, err := p.exchange(r, time.Now())
	if err != nil {
		w.Header().Set("Cache-Control", "no-store")
		if errors.Is(err, protocol.ErrInvalidClient()) {
			w.Header().Set("WWW-Authenticate", "Basic")
		}
		op.RequestError(w, r, err, nil)
		return
	}
	writeJSON(w, answer)
}

// exchange gives tokens for a code.
func (p *provider) exchange(r *http.Request, now time.Time) (*protocol.AccessTokenResponse, error) {
	if err := r.ParseForm(); err != nil {
		return nil, protocol.ErrInvalidRequest().WithDescription("The form could not be read.")
	}
	r.Form = r.PostForm // secrets in an address end up in logs
	if r.Form.Get("grant_type") != string(protocol.GrantTypeCode) {
		return nil, protocol.ErrUnsupportedGrantType().WithDescription("Only grant_type=authorization_code is supported.")
	}
	request, err := op.ParseAccessTokenRequest(r, p.decoder)
	if err != nil {
		return nil, err
	}
	client, known := p.clients[request.ClientID]
	if !known || !sameSecret(client.Secret, request.ClientSecret) {
		return nil, protocol.ErrInvalidClient().WithDescription("The client is unknown or its secret is wrong.")
	}
	given, token, err := p.grants.redeem(request, now)
	if err != nil {
		return nil, err
	}
	idToken, err := p.idToken(given, token, now)
	if err != nil {
		return nil, err
	}
	return &protocol.AccessTokenResponse{
		AccessToken: token, TokenType: protocol.BearerToken, ExpiresIn: uint64(tokenLifespan / time.Second),
		IDToken: idToken, Scope: given.request.Scopes,
	}, nil
}

func (p *provider) idToken(given grant, accessToken string, now time.Time) (string, error) {
	hash, err := protocol.ClaimHash(accessToken, jose.RS256)
	if err != nil {
		return "", fmt.Errorf("hash the access token: %w", err)
	}
	clientID := given.request.ClientID
	content := protocol.NewIDTokenClaims(p.config.Issuer, given.who.user.subject(), []string{clientID},
		now.Add(tokenLifespan), given.who.at, given.request.Nonce, "", nil, clientID, 0)
	content.AccessTokenHash = hash
	content.Claims = claims(given.request.Scopes, given.who.user)
	signed, err := crypto.Sign(content, p.signer)
	if err != nil {
		return "", fmt.Errorf("sign the id token: %w", err)
	}
	return signed, nil
}

func sameSecret(want, given string) bool {
	a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func (p *provider) userinfo(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	token, err := op.ParseUserinfoRequest(r, p.decoder)
	given, known := p.grants.find(token, time.Now())
	if err != nil || !known {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		http.Error(w, "the access token is missing, unknown or expired", http.StatusUnauthorized)
		return
	}
	info := claims(given.request.Scopes, given.who.user)
	info["sub"] = given.who.user.subject()
	writeJSON(w, info)
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(value)
}
