package oidc_test

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

func TestCodeFlow(t *testing.T) {
	for name, style := range map[string]oauth2.AuthStyle{
		"client_secret_basic": oauth2.AuthStyleInHeader, "client_secret_post": oauth2.AuthStyleInParams,
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			b.oauth.Endpoint.AuthStyle = style
			verifier := oauth2.GenerateVerifier()
			token, err := b.oauth.Exchange(t.Context(), b.logIn(verifier), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := token.Extra("id_token").(string)
			idToken, err := b.provider.Verifier(&goidc.Config{ClientID: clientID}).Verify(t.Context(), raw)
			if err != nil {
				t.Fatal(err)
			}
			var claims struct {
				Email         string `json:"email"`
				EmailVerified bool   `json:"email_verified"`
				Name          string `json:"name"`
			}
			if err := idToken.Claims(&claims); err != nil {
				t.Fatal(err)
			}
			if idToken.Nonce != "a-nonce-of-enough-length" || claims.Email != email || !claims.EmailVerified || claims.Name != "Ada <Admin>" {
				t.Errorf("nonce %q, claims %+v", idToken.Nonce, claims)
			}
			info, err := b.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
			if err != nil || info.Subject != idToken.Subject || info.Email != email || !info.EmailVerified {
				t.Errorf("userinfo %+v, %v", info, err)
			}
		})
	}
}

func TestUserinfoNeedsAToken(t *testing.T) {
	b := start(t)
	_, err := b.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "made up"}))
	if err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("got %v", err)
	}
}

func TestWrongPassword(t *testing.T) {
	b := start(t)
	form := b.open(b.authorizeURL(oauth2.GenerateVerifier()))
	for _, given := range [][2]string{{email, "stone"}, {"nobody@example.com", password}, {email, ""}} {
		answer := b.submit(form, given[0], given[1])
		if answer.StatusCode != http.StatusUnauthorized || !strings.Contains(answer.body, `role="alert"`) || !strings.Contains(answer.body, given[0]) {
			t.Errorf("%v: status %d: %s", given, answer.StatusCode, answer.body)
		}
	}
	b.redirected(b.submit(b.submit(form, email, "wrong"), "ADA@example.com", password))
}

func TestTokenEndpointRefuses(t *testing.T) {
	codes := map[string]string{
		"wrong_verifier": "invalid_grant", "no_verifier": "invalid_request", "replayed_code": "invalid_grant",
		"wrong_secret": "invalid_client", "other_client": "invalid_grant", "other_redirect": "invalid_grant",
	}
	for name, exchange := range map[string]func(b *browser, code, verifier string) error{
		"wrong_verifier": func(b *browser, code, _ string) error {
			_, err := b.oauth.Exchange(b.t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier()))
			return err
		},
		"no_verifier": func(b *browser, code, _ string) error {
			_, err := b.oauth.Exchange(b.t.Context(), code)
			return err
		},
		"replayed_code": func(b *browser, code, verifier string) error {
			token, err := b.oauth.Exchange(b.t.Context(), code, oauth2.VerifierOption(verifier))
			if err != nil {
				b.t.Fatal(err)
			}
			_, err = b.oauth.Exchange(b.t.Context(), code, oauth2.VerifierOption(verifier))
			if _, infoErr := b.provider.UserInfo(b.t.Context(), oauth2.StaticTokenSource(token)); infoErr == nil {
				b.t.Error("the access token outlived the replay of its code")
			}
			return err
		},
		"wrong_secret": func(b *browser, code, verifier string) error {
			b.oauth.ClientSecret = "wrong"
			_, err := b.oauth.Exchange(b.t.Context(), code, oauth2.VerifierOption(verifier))
			return err
		},
		"other_redirect": func(b *browser, code, verifier string) error {
			b.oauth.RedirectURL += "/elsewhere"
			_, err := b.oauth.Exchange(b.t.Context(), code, oauth2.VerifierOption(verifier))
			return err
		},
		"other_client": func(b *browser, code, verifier string) error {
			b.oauth.ClientID, b.oauth.ClientSecret = "other", "other"
			_, err := b.oauth.Exchange(b.t.Context(), code, oauth2.VerifierOption(verifier))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			verifier := oauth2.GenerateVerifier()
			err := exchange(b, b.logIn(verifier), verifier)
			var refused *oauth2.RetrieveError
			if !errors.As(err, &refused) || refused.ErrorCode != codes[name] {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRequestsThatAreNeverRedirected(t *testing.T) {
	for name, change := range map[string]func(url.Values){
		"unregistered_redirect": func(q url.Values) { q.Set("redirect_uri", "http://evil.example/") },
		"longer_path":           func(q url.Values) { q.Set("redirect_uri", callback+"/../x") },
		"no_redirect":           func(q url.Values) { q.Del("redirect_uri") },
		"other_loopback_port": func(q url.Values) {
			q.Set("client_id", "other")
			q.Set("redirect_uri", "http://127.0.0.1:10/cb")
		},
		"unknown_client": func(q url.Values) { q.Set("client_id", "nobody") },
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			answer := b.open(changed(t, b.authorizeURL(oauth2.GenerateVerifier()), change))
			if answer.StatusCode != http.StatusBadRequest || answer.Header.Get("Location") != "" || !strings.Contains(answer.body, "not registered") {
				t.Errorf("status %d to %q: %s", answer.StatusCode, answer.Header.Get("Location"), answer.body)
			}
		})
	}
}

func changed(t *testing.T, address string, change func(url.Values)) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := parsed.Query()
	change(query)
	parsed.RawQuery = query.Encode()
	return parsed.String()
}

func TestRequestsThatAreRefusedBeforeLogin(t *testing.T) {
	for name, test := range map[string]struct {
		change func(url.Values)
		code   string
	}{
		"no_pkce":       {func(q url.Values) { q.Del("code_challenge"); q.Del("code_challenge_method") }, "invalid_request"},
		"plain_pkce":    {func(q url.Values) { q.Set("code_challenge_method", "plain") }, "invalid_request"},
		"default_pkce":  {func(q url.Values) { q.Del("code_challenge_method") }, "invalid_request"},
		"implicit_flow": {func(q url.Values) { q.Set("response_type", "token") }, "unsupported_response_type"},
		"no_openid":     {func(q url.Values) { q.Set("scope", "email") }, "invalid_scope"},
		"unknown_scope": {func(q url.Values) { q.Set("scope", "openid root") }, "invalid_scope"},
		"short_state":   {func(q url.Values) { q.Set("state", "1") }, "invalid_request"},
		"short_nonce":   {func(q url.Values) { q.Set("nonce", "1") }, "invalid_request"},
		"fragment":      {func(q url.Values) { q.Set("response_mode", "fragment") }, "invalid_request"},
		"signed":        {func(q url.Values) { q.Set("request", "e30.e30.") }, "request_not_supported"},
		"prompt_none":   {func(q url.Values) { q.Set("prompt", "none") }, "login_required"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			query := b.redirected(b.open(changed(t, b.authorizeURL(oauth2.GenerateVerifier()), test.change)))
			if query.Get("error") != test.code || query.Get("code") != "" {
				t.Errorf("redirected with %v", query)
			}
		})
	}
}

func TestLoginFormIsBoundToItsBrowser(t *testing.T) {
	b := start(t)
	form := b.open(b.authorizeURL(oauth2.GenerateVerifier()))
	if strings.Contains(form.body, "Ada <Admin>") || !strings.Contains(form.body, "Ada &lt;Admin&gt;") {
		t.Error("the page does not escape names")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	own := b.Jar
	b.Jar = jar
	if answer := b.submit(form, email, password); answer.StatusCode != http.StatusForbidden {
		t.Errorf("another browser: status %d", answer.StatusCode)
	}
	b.Jar = own
	other := form
	other.body = strings.Replace(form.body, "response_type", "x=1&amp;response_type", 1)
	if answer := b.submit(other, email, password); answer.StatusCode != http.StatusForbidden {
		t.Errorf("another request: status %d", answer.StatusCode)
	}
}

func TestLoginIsRemembered(t *testing.T) {
	b := start(t)
	b.logIn(oauth2.GenerateVerifier())
	if query := b.redirected(b.open(b.authorizeURL(oauth2.GenerateVerifier()))); query.Get("code") == "" {
		t.Errorf("redirected with %v", query)
	}
	for name, value := range map[string]string{"prompt": "login", "max_age": "0"} {
		again := b.open(b.authorizeURL(oauth2.GenerateVerifier(), oauth2.SetAuthURLParam(name, value)))
		if again.StatusCode != http.StatusOK || !strings.Contains(again.body, "<form") {
			t.Errorf("%s=%s: status %d", name, value, again.StatusCode)
		}
	}
}

func TestLogout(t *testing.T) {
	for name, test := range map[string]struct {
		form     func(idToken string) url.Values
		status   int
		location string
		stays    bool // logged in
	}{
		"back_to_the_application": {func(hint string) url.Values {
			return url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {afterLogout}, "state": {"s&1"}}
		}, http.StatusSeeOther, afterLogout + "?state=s%261", false},
		"client_named": {func(string) url.Values {
			return url.Values{"client_id": {clientID}, "post_logout_redirect_uri": {afterLogout}}
		}, http.StatusSeeOther, afterLogout, false},
		"nowhere":       {func(hint string) url.Values { return url.Values{"id_token_hint": {hint}} }, http.StatusOK, "", false},
		"nothing_given": {func(string) url.Values { return url.Values{} }, http.StatusOK, "", false},
		"unregistered": {func(hint string) url.Values {
			return url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"http://evil.example/"}}
		}, http.StatusBadRequest, "", false},
		"of_another_client": {func(hint string) url.Values {
			return url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"http://other.example/"}}
		}, http.StatusBadRequest, "", false},
		"redirect_alone":  {func(string) url.Values { return url.Values{"post_logout_redirect_uri": {afterLogout}} }, http.StatusBadRequest, "", false},
		"forged_hint":     {func(hint string) url.Values { return url.Values{"id_token_hint": {hint[:len(hint)-8] + "AAAAAAAA"}} }, http.StatusBadRequest, "", true},
		"client_mismatch": {func(hint string) url.Values { return url.Values{"id_token_hint": {hint}, "client_id": {"other"}} }, http.StatusBadRequest, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			verifier := oauth2.GenerateVerifier()
			token, err := b.oauth.Exchange(t.Context(), b.logIn(verifier), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}
			hint, _ := token.Extra("id_token").(string)
			answer := b.open(b.issuer + "/logout?" + test.form(hint).Encode())
			if answer.StatusCode != test.status || answer.Header.Get("Location") != test.location {
				t.Errorf("status %d to %q: %s", answer.StatusCode, answer.Header.Get("Location"), answer.body)
			}
			again := b.open(b.authorizeURL(oauth2.GenerateVerifier()))
			if stays := again.StatusCode == http.StatusSeeOther; stays != test.stays {
				t.Errorf("afterwards the login page answers %d", again.StatusCode)
			}
		})
	}
}
