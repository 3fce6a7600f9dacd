package authn_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/token"
)

// tokens knows one token.
type tokens struct {
	hash [32]byte
	err  error
}

var robot = authn.Principal{Kind: authn.ServiceAccount, ID: uuid.MustParse("33333333-3333-4333-8333-333333333333"), OrganizationID: ada.OrganizationID}

func (k tokens) FindToken(_ context.Context, hash [32]byte) (authn.Principal, error) {
	if k.err == nil && hash != k.hash {
		return authn.Principal{}, authn.ErrUnknownToken
	}
	return robot, k.err
}

func newToken(t *testing.T, prefix string) (string, [32]byte) {
	t.Helper()
	text, hash, _, err := token.New(prefix)
	if err != nil {
		t.Fatal(err)
	}
	return text, hash
}

func TestBearer(t *testing.T) {
	text, hash := newToken(t, token.ServiceAccount)
	unknown, _ := newToken(t, token.ServiceAccount)
	key, keyHash := newToken(t, token.Key)
	changed := text[:len(text)-1] + string('A'+(text[len(text)-1]-'A'+1)%10)
	away := errors.New("away")
	for name, test := range map[string]struct {
		header string
		tokens tokens
		want   authn.Kind
		reason string
		err    error
	}{
		"service_account":   {header: "Bearer " + text, tokens: tokens{hash: hash}, want: authn.ServiceAccount},
		"lower_case_scheme": {header: "bearer " + text, tokens: tokens{hash: hash}, want: authn.ServiceAccount},
		"operator":          {header: "Bearer the operator's", want: authn.Operator},
		"second_operator":   {header: "Bearer the next operator's", want: authn.Operator},
		"not_the_operator":  {header: "Bearer the operator", reason: authn.ReasonMalformedToken},
		"wrong_checksum":    {header: "Bearer " + changed, tokens: tokens{hash: token.Hash(changed)}, reason: authn.ReasonMalformedToken},
		"a_virtual_key":     {header: "Bearer " + key, tokens: tokens{hash: keyHash}, reason: authn.ReasonMalformedToken},
		"unknown":           {header: "Bearer " + unknown, tokens: tokens{hash: hash}, reason: authn.ReasonUnknownToken},
		"other_scheme":      {header: "Basic " + text, tokens: tokens{hash: hash}, reason: authn.ReasonMalformedToken},
		"empty":             {header: "Bearer ", reason: authn.ReasonMalformedToken},
		"store_away":        {header: "Bearer " + text, tokens: tokens{err: away}, err: away},
	} {
		t.Run(name, func(t *testing.T) {
			authenticator := authn.NewAuthenticator(authn.AuthenticatorConfig{
				Tokens:         test.tokens,
				OperatorTokens: [][32]byte{token.Hash("the operator's"), token.Hash("the next operator's")},
			})
			principal, err := authenticator.Authenticate(t.Context(), http.Header{"Authorization": {test.header}})
			check(t, principal, err, test.want, test.reason)
			if test.err != nil && !errors.Is(err, test.err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func check(t *testing.T, principal authn.Principal, err error, want authn.Kind, reason string) {
	t.Helper()
	if principal.Kind != want {
		t.Errorf("principal %+v, want kind %q", principal, want)
	}
	var refused *fault.Error
	if reason != "" && (!errors.As(err, &refused) || refused.Reason != reason) {
		t.Errorf("got %v, want the reason %s", err, reason)
	}
	if want != "" && err != nil {
		t.Errorf("got %v", err)
	}
}

func TestNoOperatorWithoutAToken(t *testing.T) {
	authenticator := authn.NewAuthenticator(authn.AuthenticatorConfig{Tokens: tokens{}})
	_, err := authenticator.Authenticate(t.Context(), http.Header{"Authorization": {"Bearer  "}})
	if !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("got %v", err)
	}
}

func TestSessionCookie(t *testing.T) {
	s := start(t)
	s.logIn("", "ada@example.com", "water")
	address, err := http.NewRequest(http.MethodGet, s.console, nil)
	if err != nil {
		t.Fatal(err)
	}
	var cookie string
	for _, c := range s.Jar.Cookies(address.URL) {
		if c.Name == authn.SessionCookie(s.console) {
			cookie = c.Name + "=" + c.Value
		}
	}
	for name, test := range map[string]struct {
		header http.Header
		after  time.Duration
		want   authn.Kind
		reason string
	}{
		"own_page":         {header: http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"same-origin"}}, want: authn.Member},
		"own_origin":       {header: http.Header{"Cookie": {cookie}, "Origin": {s.console}}, want: authn.Member},
		"other_site":       {header: http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"cross-site"}}, reason: authn.ReasonCrossOrigin},
		"sibling_site":     {header: http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"same-site"}, "Origin": {s.console}}, reason: authn.ReasonCrossOrigin},
		"other_origin":     {header: http.Header{"Cookie": {cookie}, "Origin": {s.console + "1"}}, reason: authn.ReasonCrossOrigin},
		"null_origin":      {header: http.Header{"Cookie": {cookie}, "Origin": {"null"}}, reason: authn.ReasonCrossOrigin},
		"origin_unknown":   {header: http.Header{"Cookie": {cookie}}, reason: authn.ReasonCrossOrigin},
		"no_cookie":        {header: http.Header{"Sec-Fetch-Site": {"same-origin"}}, reason: authn.ReasonNoCredentials},
		"malformed_cookie": {header: http.Header{"Cookie": {authn.SessionCookie(s.console) + "=abc"}, "Sec-Fetch-Site": {"same-origin"}}, reason: authn.ReasonNoCredentials},
		"changed_cookie":   {header: http.Header{"Cookie": {authn.SessionCookie(s.console) + "=" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "Sec-Fetch-Site": {"same-origin"}}, reason: authn.ReasonSessionOver},
		"idle":             {header: http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"same-origin"}}, after: authn.DefaultSessionIdle + time.Minute, reason: authn.ReasonSessionOver},
		"bearer_decides":   {header: http.Header{"Cookie": {cookie}, "Sec-Fetch-Site": {"same-origin"}, "Authorization": {"Bearer x"}}, reason: authn.ReasonMalformedToken},
	} {
		t.Run(name, func(t *testing.T) {
			authenticator := authn.NewAuthenticator(authn.AuthenticatorConfig{
				Tokens: tokens{}, Sessions: s.sessions, PublicURL: s.console, Logger: slog.New(slog.DiscardHandler),
				Now: func() time.Time { return time.Now().Add(test.after) },
			})
			principal, err := authenticator.Authenticate(t.Context(), test.header)
			check(t, principal, err, test.want, test.reason)
		})
	}
}

// A call that goes on for days does not keep its session alive.
func TestRecheckProlongsNothing(t *testing.T) {
	s := start(t)
	s.logIn("", "ada@example.com", "water")
	page, err := http.NewRequest(http.MethodGet, s.console, nil)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Sec-Fetch-Site": {"same-origin"}}
	for _, c := range s.Jar.Cookies(page.URL) {
		header.Add("Cookie", c.Name+"="+c.Value)
	}
	after := func(d time.Duration) *authn.Authenticator {
		return authn.NewAuthenticator(authn.AuthenticatorConfig{
			Tokens: tokens{}, Sessions: s.sessions, PublicURL: s.console, Logger: slog.New(slog.DiscardHandler),
			Now: func() time.Time { return time.Now().Add(d) },
		})
	}
	principal, err := after(authn.DefaultSessionIdle-time.Hour).Recheck(t.Context(), header)
	check(t, principal, err, authn.Member, "")
	principal, err = after(authn.DefaultSessionIdle+time.Hour).Recheck(t.Context(), header)
	check(t, principal, err, "", authn.ReasonSessionOver)
}

func TestSessionLivesWithUseButNotForEver(t *testing.T) {
	s := start(t)
	s.logIn("", "ada@example.com", "water")
	step := authn.DefaultSessionIdle - time.Hour
	for used := step; used < authn.DefaultSessionLifetime; used += step {
		s.clock.Add(int64(step))
		if who := s.own(http.MethodPost, "/whoami"); who.StatusCode != http.StatusOK {
			t.Fatalf("after %s of use: %s", used, who.body)
		}
	}
	s.clock.Add(int64(step))
	if who := s.own(http.MethodPost, "/whoami"); who.StatusCode != http.StatusUnauthorized {
		t.Errorf("beyond its lifetime: %s", who.body)
	}
}
