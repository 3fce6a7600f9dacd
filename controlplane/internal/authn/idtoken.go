package authn

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

const (
	// clockSkew is how far the provider's clock may be from ours.
	clockSkew = 2 * time.Minute
	// maxIDTokenBytes is far above what providers send and far below what takes time to read.
	maxIDTokenBytes = 64 << 10
	// maxSubjectBytes is OpenID Connect Core 1.0, section 2.
	maxSubjectBytes = 255
)

// algorithms are asymmetric: a token signed with a secret, or not at all, proves nothing (RFC 8725, section 3.1).
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// errUntrusted marks answers of the provider that do not verify.
var errUntrusted = errors.New("the ID token does not verify")

func untrusted(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errUntrusted, fmt.Errorf(format, args...))
}

// idClaims are what go-oidc leaves to its callers.
type idClaims struct {
	AuthorizedParty string   `json:"azp"`
	NotBefore       *float64 `json:"nbf"`
}

// verify checks the ID token as OpenID Connect Core 1.0, section 3.1.3.7, wants it: that it is the provider's, for us,
// of now and of this very login.
func (l *Login) verify(ctx context.Context, provider *relyingOn, began attempt, tokens *oauth2.Token) (*oidc.IDToken, error) {
	raw, _ := tokens.Extra("id_token").(string)
	signed, err := l.signed(ctx, provider, raw)
	if err != nil {
		return nil, err
	}
	var more idClaims
	if err := signed.Claims(&more); err != nil {
		return nil, untrusted("read its claims: %w", err)
	}
	if len(signed.Audience) > 1 && more.AuthorizedParty == "" {
		return nil, untrusted("it is for several clients and does not say which one asked (azp)")
	}
	if more.AuthorizedParty != "" && more.AuthorizedParty != l.config.ClientID {
		return nil, untrusted("another client asked for it (azp)")
	}
	if signed.Subject == "" || len(signed.Subject) > maxSubjectBytes || !printable(signed.Subject) {
		return nil, untrusted("its subject is no identifier")
	}
	if err := timely(l.config.Now(), began, signed, more); err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(signed.Nonce), []byte(began.Nonce)) != 1 {
		return nil, untrusted("the nonce is another login's")
	}
	if signed.AccessTokenHash != "" {
		if err := signed.VerifyAccessToken(tokens.AccessToken); err != nil {
			return nil, untrusted("its access token is another one's: %w", err)
		}
	}
	return signed, nil
}

// signed checks signature, issuer and audience.
func (l *Login) signed(ctx context.Context, provider *relyingOn, raw string) (*oidc.IDToken, error) {
	if raw == "" || len(raw) > maxIDTokenBytes {
		return nil, untrusted("it has %d bytes, want 1 to %d", len(raw), maxIDTokenBytes)
	}
	parsed, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil {
		return nil, untrusted("parse it: %w", err)
	}
	if len(parsed.Signatures) != 1 {
		return nil, untrusted("it has %d signatures", len(parsed.Signatures))
	}
	keys, err := provider.keys.candidates(ctx, parsed.Signatures[0].Header.KeyID)
	if err != nil {
		return nil, err
	}
	verifier := oidc.NewVerifier(l.config.Issuer, &oidc.StaticKeySet{PublicKeys: keys}, &oidc.Config{
		ClientID: l.config.ClientID, SupportedSigningAlgs: algorithmNames(),
		SkipExpiryCheck: true, // timely does it, with one bound for every clock
	})
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, untrusted("%w", err)
	}
	return token, nil
}

func algorithmNames() []string {
	names := make([]string, 0, len(algorithms))
	for _, a := range algorithms {
		names = append(names, string(a))
	}
	return names
}

// timely wants a token of this login: neither expired, nor of the future, nor older than the login itself.
func timely(now time.Time, began attempt, token *oidc.IDToken, more idClaims) error {
	switch {
	case !now.Before(token.Expiry.Add(clockSkew)):
		return untrusted("it expired at %s", token.Expiry)
	case token.IssuedAt.After(now.Add(clockSkew)):
		return untrusted("it was issued in the future, at %s", token.IssuedAt)
	case token.IssuedAt.Before(began.BeganAt.Add(-clockSkew)):
		return untrusted("it was issued at %s, before this login began", token.IssuedAt)
	case more.NotBefore != nil && *more.NotBefore > float64(now.Add(clockSkew).Unix()):
		return untrusted("it is not valid yet")
	}
	return nil
}
