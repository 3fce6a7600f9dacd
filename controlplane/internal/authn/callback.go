package authn

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
)

// maxLoggedCode bounds what of a browser's text is logged.
const maxLoggedCode = 60

// callback takes the browser back from the provider and starts a session.
func (l *Login) callback(w http.ResponseWriter, r *http.Request) {
	began, err := l.began(r)
	if err != nil {
		l.refuse(w, r, attemptLost, err)
		return
	}
	l.setCookie(w, attemptCookie, "", 0)
	ctx, cancel := context.WithTimeout(l.discovery.context(r.Context()), providerTimeout)
	defer cancel()
	person, idToken, why, err := l.redeem(ctx, began, r.URL.Query())
	if err != nil {
		l.refuse(w, r, why, err)
		return
	}
	l.setHint(w, idToken)
	memberships, err := l.config.Members.Memberships(r.Context(), person)
	switch {
	case err != nil:
		l.refuse(w, r, ourFault, err)
	case len(memberships) == 0:
		l.refuse(w, r, notMember, errors.New("no organization has this person"))
	case len(memberships) == 1:
		l.enter(w, r, memberships[0].Principal, began.ReturnTo)
	default:
		l.offer(w, r, choice{Issuer: person.Issuer, Subject: person.Subject, ReturnTo: began.ReturnTo}, memberships)
	}
}

// began opens the cookie of begin and compares the state. No parameter may come twice (RFC 6749, section 3.1): what
// was checked must be what is used.
func (l *Login) began(r *http.Request) (attempt, error) {
	for name, values := range r.URL.Query() {
		if len(values) > 1 {
			return attempt{}, fmt.Errorf("the parameter %q came %d times", shortened(name, maxLoggedCode), len(values))
		}
	}
	cookie, err := r.Cookie(cookieName(attemptCookie, l.config.PublicURL))
	if err != nil {
		return attempt{}, err
	}
	var began attempt
	if err := l.attempts.open(cookie.Value, &began); err != nil {
		return attempt{}, err
	}
	if !l.config.Now().Before(began.expiresAt()) {
		return attempt{}, errors.New("the login took too long")
	}
	if subtle.ConstantTimeCompare([]byte(began.State), []byte(r.URL.Query().Get("state"))) != 1 {
		return attempt{}, errors.New("the state is another login's")
	}
	return began, nil
}

// redeem spends the login, exchanges the code for an ID token and checks whose it is. The refusal says what to show
// with an error.
func (l *Login) redeem(ctx context.Context, began attempt, query url.Values) (Person, string, refusal, error) {
	if err := l.config.Sessions.Spend(ctx, sha256.Sum256([]byte(began.State)), began.expiresAt()); err != nil {
		if errors.Is(err, ErrSpent) {
			return Person{}, "", attemptLost, err
		}
		return Person{}, "", ourFault, err
	}
	provider, err := l.discovery.provider(ctx)
	if err != nil {
		return Person{}, "", providerAway, err
	}
	if err := l.sameProvider(provider, query); err != nil {
		return Person{}, "", untrustedAnswer, err
	}
	if code := query.Get("error"); code != "" {
		return Person{}, "", providerRefused, fmt.Errorf("the provider answered %q", shortened(code, maxLoggedCode))
	}
	tokens, err := l.oauth(provider).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(began.Verifier))
	if err != nil {
		why, err := exchangeError(err)
		return Person{}, "", why, err
	}
	verified, err := l.verify(ctx, provider, began, tokens)
	if err != nil {
		return Person{}, "", reasonOf(err), err
	}
	person, err := l.person(ctx, provider, verified, tokens)
	raw, _ := tokens.Extra("id_token").(string)
	return person, raw, reasonOf(err), err
}

// sameProvider refuses an answer that another provider gave (RFC 9207): its code must not reach ours.
func (l *Login) sameProvider(provider *relyingOn, query url.Values) error {
	issuer, said := query.Get("iss"), query.Has("iss")
	if (said || provider.namesItself) && issuer != l.config.Issuer {
		return untrusted("the answer is of the provider %q", shortened(issuer, maxLoggedCode))
	}
	return nil
}

// exchangeError leaves out the provider's answer, which may hold anything.
func exchangeError(err error) (refusal, error) {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response == nil {
		return providerAway, fmt.Errorf("exchange the code: %w", err)
	}
	why := providerRefused
	if refused.Response.StatusCode >= http.StatusInternalServerError || refused.Response.StatusCode == http.StatusTooManyRequests {
		why = providerAway
	}
	return why, fmt.Errorf("exchange the code: the provider answered %d %q",
		refused.Response.StatusCode, shortened(refused.ErrorCode, maxLoggedCode))
}

// reasonOf tells an answer that is wrong from an outage.
func reasonOf(err error) refusal {
	if errors.Is(err, errUntrusted) {
		return untrustedAnswer
	}
	return providerAway
}
