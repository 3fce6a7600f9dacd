package authn_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
)

func TestLoginAndLogout(t *testing.T) {
	s := start(t)
	answer := s.logIn("?return_to="+url.QueryEscape("/reports?days=7#spend"), "ada@example.com", "water")
	if got := answer.Header.Get("Location"); got != "/reports?days=7#spend" {
		t.Fatalf("status %d to %q: %s", answer.StatusCode, got, answer.body)
	}
	checkSessionCookie(t, s, answer)
	want := &authn.Person{Issuer: s.members.seen.Load().Issuer, Subject: s.members.seen.Load().Subject,
		Email: "ada@example.com", EmailVerified: true, Name: "Ada"}
	if diff := cmp.Diff(want, s.members.seen.Load()); diff != "" || want.Subject == "" || want.Issuer == "" {
		t.Errorf("person %+v: %s", s.members.seen.Load(), diff)
	}
	var principal authn.Principal
	who := s.own(http.MethodPost, "/whoami")
	if err := json.Unmarshal([]byte(who.body), &principal); err != nil || principal.SessionID == uuid.Nil {
		t.Errorf("whoami says %q", who.body)
	}
	principal.SessionID = uuid.Nil
	if diff := cmp.Diff(ada, principal); diff != "" {
		t.Errorf("whoami says %q", who.body)
	}

	atProvider := s.location(s.own(http.MethodPost, authn.LogoutPath))
	if !strings.Contains(atProvider, "id_token_hint=ey") {
		t.Errorf("logged out without a hint: %s", atProvider)
	}
	if back := s.location(s.get(atProvider)); back != s.console+"/" {
		t.Errorf("the provider sends back to %s", back)
	}
	if s.sessions.count() != 0 || s.own(http.MethodPost, "/whoami").StatusCode != http.StatusUnauthorized {
		t.Error("the session outlived the logout")
	}
	if again := s.get(s.location(s.get(s.console + authn.LoginPath))); again.StatusCode != http.StatusOK {
		t.Errorf("the provider still knows the browser: status %d", again.StatusCode)
	}
}

func checkSessionCookie(t *testing.T, s *setup, answer page) {
	t.Helper()
	for _, cookie := range answer.Cookies() {
		if cookie.Name != authn.SessionCookie(s.console) {
			continue
		}
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Secure {
			t.Errorf("cookie %v", cookie)
		}
		if secret, err := base64.RawURLEncoding.DecodeString(cookie.Value); err != nil || len(secret) != 32 {
			t.Errorf("cookie value %q", cookie.Value)
		}
		if _, ok := s.sessions.known[sha256.Sum256([]byte(cookie.Value))]; !ok {
			t.Error("the stored hash is not the cookie's")
		}
		return
	}
	t.Error("no session cookie")
}

func TestReturnToStaysHere(t *testing.T) {
	s := start(t)
	s.logIn("", "ada@example.com", "water") // from now on the provider asks nothing
	for name, test := range map[string]struct{ given, want string }{
		"path":             {"/keys/1?x=%2F%2Fevil#a", "/keys/1?x=%2F%2Fevil#a"},
		"nothing":          {"", "/"},
		"other_host":       {"https://evil.example/", "/"},
		"no_scheme":        {"//evil.example/", "/"},
		"three_slashes":    {"///evil.example/", "/"},
		"backslash":        {`/\evil.example/`, "/"},
		"two_backslashes":  {`\\evil.example/`, "/"},
		"encoded_slash":    {"/%2Fevil.example/", "/"},
		"tab":              {"/\t/evil.example/", "/"},
		"newline":          {"/\n/evil.example", "/"},
		"leading_space":    {" //evil.example", "/"},
		"script":           {"javascript:alert(1)", "/"},
		"relative":         {"keys", "/"},
		"user":             {"//user@evil.example", "/"},
		"back_to_login":    {"/auth/login", "/"},
		"header_injection": {"/a\r\nSet-Cookie: x=y", "/"},
	} {
		t.Run(name, func(t *testing.T) {
			atProvider := s.location(s.get(s.console + authn.LoginPath + "?return_to=" + url.QueryEscape(test.given)))
			answer := s.get(s.location(s.get(atProvider)))
			if got := answer.Header.Get("Location"); got != test.want {
				t.Errorf("status %d to %q", answer.StatusCode, got)
			}
		})
	}
}

func TestCallbackRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		callback func(s *setup) string
		status   int
		says     string
	}{
		"other_state": {func(s *setup) string {
			address := s.atProvider(s.location(s.get(s.console+authn.LoginPath)), "ada@example.com", "water")
			return changed(s.t, address, func(q url.Values) { q.Set("state", strings.Repeat("x", 43)) })
		}, 400, "Start again"},
		"no_state": {func(s *setup) string {
			address := s.atProvider(s.location(s.get(s.console+authn.LoginPath)), "ada@example.com", "water")
			return changed(s.t, address, func(q url.Values) { q.Del("state") })
		}, 400, "Start again"},
		"login_of_another_browser": {func(s *setup) string {
			own := s.Client
			s.Client = newBrowser(s.t)
			address := s.atProvider(s.location(s.get(s.console+authn.LoginPath)), "ada@example.com", "water")
			s.Client = own
			return address
		}, 400, "Start again"},
		"login_of_another_window": {func(s *setup) string {
			address := s.atProvider(s.location(s.get(s.console+authn.LoginPath)), "ada@example.com", "water")
			s.get(s.console + authn.LoginPath)
			return address
		}, 400, "Start again"},
		"too_late": {func(s *setup) string {
			address := s.atProvider(s.location(s.get(s.console+authn.LoginPath)), "ada@example.com", "water")
			s.clock.Add(int64(16 * time.Minute))
			return address
		}, 400, "Start again"},
		"other_nonce": {func(s *setup) string {
			address := changed(s.t, s.location(s.get(s.console+authn.LoginPath)), func(q url.Values) { q.Set("nonce", "of-another-login") })
			return s.atProvider(address, "ada@example.com", "water")
		}, 403, "could not be verified"},
		"other_challenge": {func(s *setup) string {
			address := changed(s.t, s.location(s.get(s.console+authn.LoginPath)), func(q url.Values) {
				q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(make([]byte, 32)))
			})
			return s.atProvider(address, "ada@example.com", "water")
		}, 403, "stopped the login"},
		"expired_id_token": {func(s *setup) string {
			s.clock.Add(int64(2 * time.Hour))
			return s.atProvider(s.location(s.get(s.console+authn.LoginPath)), "ada@example.com", "water")
		}, 403, "could not be verified"},
		"provider_says_no": {func(s *setup) string {
			return s.location(s.get(changed(s.t, s.location(s.get(s.console+authn.LoginPath)), func(q url.Values) { q.Set("prompt", "none") })))
		}, 403, "stopped the login"},
		"not_a_member": {func(s *setup) string {
			return s.atProvider(s.location(s.get(s.console+authn.LoginPath)), "eve@example.com", "stone")
		}, 403, "/auth/login?account=other"},
		"store_away": {func(s *setup) string {
			address := s.atProvider(s.location(s.get(s.console+authn.LoginPath)), "ada@example.com", "water")
			s.sessions.err = errors.New("away")
			return address
		}, 503, "Your account is fine"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			answer := s.get(test.callback(s))
			if answer.StatusCode != test.status || !strings.Contains(answer.body, test.says) {
				t.Errorf("status %d: %s", answer.StatusCode, answer.body)
			}
			for _, cookie := range answer.Cookies() {
				if cookie.Name == authn.SessionCookie(s.console) {
					t.Errorf("a session cookie all the same: %v", cookie)
				}
			}
			if s.sessions.count() != 0 {
				t.Error("a session all the same")
			}
		})
	}
}

func TestCodeIsGoodOnce(t *testing.T) {
	s := start(t)
	callback := s.atProvider(s.location(s.get(s.console+authn.LoginPath)), "ada@example.com", "water")
	s.location(s.get(callback))
	if again := s.get(callback); again.StatusCode != http.StatusBadRequest || s.sessions.count() != 1 {
		t.Errorf("status %d, %d sessions", again.StatusCode, s.sessions.count())
	}
}

func TestOtherAccountAsksAgain(t *testing.T) {
	s := start(t)
	s.logIn("", "eve@example.com", "stone")
	answer := s.logIn("?account=other", "ada@example.com", "water")
	if answer.StatusCode != http.StatusSeeOther || s.sessions.count() != 1 {
		t.Errorf("status %d: %s", answer.StatusCode, answer.body)
	}
}

func TestLoginReplacesTheSession(t *testing.T) {
	s := start(t)
	s.logIn("", "ada@example.com", "water")
	s.get(s.location(s.get(s.location(s.get(s.console + authn.LoginPath)))))
	if got := s.sessions.count(); got != 1 {
		t.Errorf("%d sessions", got)
	}
}

func TestProviderOutageHeals(t *testing.T) {
	s := start(t)
	s.down.Store(true)
	for range 2 {
		answer := s.get(s.console + authn.LoginPath)
		if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(answer.body, "does not answer") {
			t.Fatalf("status %d: %s", answer.StatusCode, answer.body)
		}
	}
	s.down.Store(false)
	s.clock.Add(int64(2 * time.Second))
	if answer := s.logIn("", "ada@example.com", "water"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("status %d: %s", answer.StatusCode, answer.body)
	}
}

func TestLogoutNeedsAnOwnPage(t *testing.T) {
	s := start(t)
	s.logIn("", "ada@example.com", "water")
	for _, header := range []http.Header{
		{}, {"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}, "Origin": {s.console}}, {"Origin": {"http://evil.example"}},
	} {
		if answer := s.send(http.MethodPost, s.console+authn.LogoutPath, nil, header); answer.StatusCode != http.StatusForbidden {
			t.Errorf("%v: status %d", header, answer.StatusCode)
		}
	}
	if s.sessions.count() != 1 {
		t.Error("the session ended")
	}
}

func TestPageStyleIsAllowedByItsPolicy(t *testing.T) {
	s := start(t)
	answer := s.get(s.console + authn.CallbackPath)
	_, rest, _ := strings.Cut(answer.body, "<style>")
	text, _, _ := strings.Cut(rest, "</style>")
	hash := sha256.Sum256([]byte(text))
	if !strings.Contains(answer.Header.Get("Content-Security-Policy"), base64.StdEncoding.EncodeToString(hash[:])) {
		t.Errorf("policy %q for %q", answer.Header.Get("Content-Security-Policy"), text)
	}
}

func TestLoginConfigIsValidatedWhole(t *testing.T) {
	_, err := authn.NewLogin(authn.LoginConfig{PublicURL: "weir.example"})
	for _, part := range []string{"public URL", "issuer", "cookie key"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not name the %s", err, part)
		}
	}
}

func TestCookiesAreSecureOverHTTPS(t *testing.T) {
	login, err := authn.NewLogin(authn.LoginConfig{
		Issuer: "http://127.0.0.1:1", ClientID: "c", ClientSecret: "s", PublicURL: "https://weir.example",
		CookieKey: make([]byte, 32), Sessions: newSessions(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	login.Register(mux)
	request := httptest.NewRequest(http.MethodPost, authn.LogoutPath, nil)
	request.Header.Set("Origin", "https://weir.example")
	recorder := httptest.NewRecorder()
	mux.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusSeeOther || recorder.Header().Get("Location") != authn.AfterLogoutPath {
		t.Errorf("with the provider away: status %d to %q", recorder.Code, recorder.Header().Get("Location"))
	}
	names := map[string]bool{}
	for _, cookie := range recorder.Result().Cookies() {
		names[cookie.Name] = true
		if !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge >= 0 || cookie.Domain != "" {
			t.Errorf("cookie %v", cookie)
		}
		if strings.HasPrefix(cookie.Name, "__Host-") && cookie.Path != "/" {
			t.Errorf("browsers refuse the cookie %v", cookie)
		}
	}
	if !names["__Host-weir_session"] || !names["__Secure-weir_logout_hint"] {
		t.Errorf("cookies %v", names)
	}
}
