package authn

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// callback takes the browser back from the provider and starts a session.
func (l *Login) callback(w http.ResponseWriter, r *http.Request) {
	started, err := l.started(r)
	if err != nil {
		l.refuse(w, r, attemptLost, err)
		return
	}
	l.setCookie(w, attemptCookie, "", "/auth/", 0)
	query := r.URL.Query()
	if code := query.Get("error"); code != "" {
		l.refuse(w, r, providerRefused, fmt.Errorf("the provider answered %q", code))
		return
	}
	ctx, cancel := context.WithTimeout(l.discovery.context(r.Context()), providerTimeout)
	defer cancel()
	person, idToken, err := l.redeem(ctx, started, query.Get("code"))
	if err != nil {
		l.refuse(w, r, redeemReason(err), err)
		return
	}
	l.setHint(w, idToken)
	principal, err := l.config.Members.Resolve(r.Context(), person)
	if errors.Is(err, ErrNotMember) {
		l.refuse(w, r, notMember, err)
		return
	}
	if err == nil {
		err = l.startSession(w, r, principal)
	}
	if err != nil {
		l.refuse(w, r, ourFault, err)
		return
	}
	http.Redirect(w, r, started.ReturnTo, http.StatusSeeOther)
}

// started opens the cookie of begin and compares the state.
func (l *Login) started(r *http.Request) (attempt, error) {
	cookie, err := r.Cookie(cookieName(attemptCookie, l.config.PublicURL))
	if err != nil {
		return attempt{}, err
	}
	var started attempt
	if err := l.attempts.open(cookie.Value, &started); err != nil {
		return attempt{}, err
	}
	if !l.config.Now().Before(started.ExpiresAt) {
		return attempt{}, errors.New("the login took too long")
	}
	if subtle.ConstantTimeCompare([]byte(started.State), []byte(r.URL.Query().Get("state"))) != 1 {
		return attempt{}, errors.New("the state is another login's")
	}
	return started, nil
}

// errUntrusted marks answers of the provider that do not verify.
var errUntrusted = errors.New("the ID token does not verify")

// redeem exchanges the code for an ID token and checks that it is for us and for this login.
func (l *Login) redeem(ctx context.Context, started attempt, code string) (Person, string, error) {
	provider, err := l.discovery.provider(ctx)
	if err != nil {
		return Person{}, "", err
	}
	tokens, err := l.oauth(provider).Exchange(ctx, code, oauth2.VerifierOption(started.Verifier))
	if err != nil {
		return Person{}, "", exchangeError(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	verifier := provider.Verifier(&oidc.Config{ClientID: l.config.ClientID, Now: l.config.Now})
	verified, err := verifier.Verify(ctx, raw)
	if err != nil {
		return Person{}, "", fmt.Errorf("%w: %w", errUntrusted, err)
	}
	if subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(started.Nonce)) != 1 {
		return Person{}, "", fmt.Errorf("%w: the nonce is another login's", errUntrusted)
	}
	if verified.AccessTokenHash != "" {
		if err := verified.VerifyAccessToken(tokens.AccessToken); err != nil {
			return Person{}, "", fmt.Errorf("%w: %w", errUntrusted, err)
		}
	}
	person, err := personOf(ctx, provider, verified, tokens)
	return person, raw, err
}

// exchangeError leaves out the provider's answer, which may hold anything.
func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil {
		return fmt.Errorf("exchange the code: the provider answered %d %q", refused.Response.StatusCode, refused.ErrorCode)
	}
	return fmt.Errorf("exchange the code: %w", err)
}

type personClaims struct {
	Email    string `json:"email"`
	Verified any    `json:"email_verified"` // some providers send text
	Name     string `json:"name"`
}

// personOf reads the claims, from userinfo if the ID token has no address.
func personOf(ctx context.Context, provider *relyingOn, verified *oidc.IDToken, tokens *oauth2.Token) (Person, error) {
	var claims personClaims
	if err := verified.Claims(&claims); err != nil {
		return Person{}, fmt.Errorf("%w: %w", errUntrusted, err)
	}
	if claims.Email == "" && provider.UserInfoEndpoint() != "" {
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
		if err != nil {
			return Person{}, fmt.Errorf("ask userinfo: %w", err)
		}
		if info.Subject != verified.Subject {
			return Person{}, fmt.Errorf("%w: userinfo is about somebody else", errUntrusted)
		}
		if err := info.Claims(&claims); err != nil {
			return Person{}, fmt.Errorf("read userinfo: %w", err)
		}
	}
	return Person{
		Issuer: verified.Issuer, Subject: verified.Subject, Email: claims.Email, Name: claims.Name,
		EmailVerified: claims.Verified == true || claims.Verified == "true",
	}, nil
}

// startSession replaces the browser's session, so that nobody goes on with one that was planted.
func (l *Login) startSession(w http.ResponseWriter, r *http.Request, principal Principal) error {
	if old, ok := sessionHash(r.Header, l.config.PublicURL); ok {
		if err := l.config.Sessions.Delete(r.Context(), old); err != nil {
			return fmt.Errorf("end the session before: %w", err)
		}
	}
	now, secret := l.config.Now(), newSessionSecret()
	session := Session{
		Hash: sha256.Sum256([]byte(secret)), Principal: principal, CreatedAt: now,
		IdleExpiresAt: now.Add(l.config.SessionIdle), ExpiresAt: now.Add(l.config.SessionLifetime),
	}
	if err := l.config.Sessions.Create(r.Context(), session); err != nil {
		return fmt.Errorf("start a session: %w", err)
	}
	l.setCookie(w, sessionCookie, secret, "/", l.config.SessionLifetime)
	l.config.Logger.InfoContext(r.Context(), "logged in", "actor", principal.Actor(), "organization_id", principal.OrganizationID)
	return nil
}
