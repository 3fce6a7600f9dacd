package authn_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// RFC 9207, RFC 9700 section 4.4: an answer of another provider is refused before its code goes anywhere.
func TestMixUp(t *testing.T) {
	for name, test := range map[string]struct {
		describes bool
		answers   func(l *liar, q url.Values)
		good      bool
	}{
		"of_another_provider":           {answers: func(_ *liar, q url.Values) { q.Set("iss", "https://evil.example") }},
		"empty":                         {answers: func(_ *liar, q url.Values) { q.Set("iss", "") }},
		"with_a_slash_more":             {answers: func(l *liar, q url.Values) { q.Set("iss", l.issuer+"/") }},
		"left_out_against_its_promise":  {describes: true, answers: func(*liar, url.Values) {}},
		"error_of_another_provider":     {answers: func(_ *liar, q url.Values) { q.Set("error", "access_denied"); q.Set("iss", "https://evil.example") }},
		"its_own":                       {describes: true, answers: func(l *liar, q url.Values) { q.Set("iss", l.issuer) }, good: true},
		"its_own_though_never_promised": {answers: func(l *liar, q url.Values) { q.Set("iss", l.issuer) }, good: true},
	} {
		t.Run(name, func(t *testing.T) {
			s, l := startLying(t, 0)
			l.describes = func(said map[string]any) { said["authorization_response_iss_parameter_supported"] = test.describes }
			l.answers = func(q url.Values) { test.answers(l, q) }
			answer := s.throughLiar()
			if test.good && answer.StatusCode == http.StatusSeeOther {
				return
			}
			if test.good || answer.StatusCode != http.StatusForbidden || !strings.Contains(answer.body, "could not be verified") {
				t.Errorf("status %d: %s", answer.StatusCode, answer.body)
			}
			if l.tokensAsked.Load() != 0 {
				t.Error("the code was sent all the same")
			}
		})
	}
}

// A description that is not the issuer's, or leads out of https, is none.
func TestLyingDescriptions(t *testing.T) {
	for name, lie := range map[string]func(said map[string]any){
		"of_another_issuer":     func(said map[string]any) { said["issuer"] = "https://evil.example" },
		"no_token_endpoint":     func(said map[string]any) { delete(said, "token_endpoint") },
		"no_keys":               func(said map[string]any) { delete(said, "jwks_uri") },
		"token_endpoint_script": func(said map[string]any) { said["token_endpoint"] = "javascript:alert(1)" },
		"logout_script":         func(said map[string]any) { said["end_session_endpoint"] = "javascript:alert(1)" },
		"no_secret_taken":       func(said map[string]any) { said["token_endpoint_auth_methods_supported"] = []string{"private_key_jwt"} },
		"flood":                 func(said map[string]any) { said["padding"] = strings.Repeat("x", 1<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			s, l := startLying(t, 0)
			l.describes = lie
			if answer := s.get(s.console + "/auth/login"); answer.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("status %d: %s", answer.StatusCode, answer.body)
			}
		})
	}
}

// The code and our secret go to the token endpoint once, in the way that it asked for, and nowhere else.
func TestCodeIsSentOnce(t *testing.T) {
	for name, methods := range map[string][]string{"basic": nil, "post": {"client_secret_post"}} {
		t.Run(name, func(t *testing.T) {
			s, l := startLying(t, 0)
			l.describes = func(said map[string]any) {
				if methods != nil {
					said["token_endpoint_auth_methods_supported"] = methods
				}
				said["token_endpoint"] = l.issuer + "/refusing"
			}
			var asked atomic.Int64
			l.mux.HandleFunc("POST /refusing", func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				_, _, basic := r.BasicAuth()
				if basic == (methods != nil) {
					t.Error("the secret came in the other way")
				}
				w.WriteHeader(http.StatusBadRequest)
				_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
			})
			if answer := s.throughLiar(); answer.StatusCode != http.StatusForbidden || asked.Load() != 1 {
				t.Errorf("status %d after %d requests: %s", answer.StatusCode, asked.Load(), answer.body)
			}
		})
	}
}

// RFC 9700, section 4.12: a redirect that repeats the body would hand over the code and the secret.
func TestTokenEndpointSendsElsewhere(t *testing.T) {
	for name, status := range map[string]int{"307": 307, "308": 308, "302": 302, "303": 303} {
		t.Run(name, func(t *testing.T) {
			var caught atomic.Int64
			thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { caught.Add(1) }))
			t.Cleanup(thief.Close)
			s, l := startLying(t, 0)
			l.describes = func(said map[string]any) { said["token_endpoint"] = l.issuer + "/elsewhere" }
			l.mux.HandleFunc("POST /elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, thief.URL, status) })
			if answer := s.throughLiar(); answer.StatusCode == http.StatusSeeOther || caught.Load() != 0 {
				t.Errorf("status %d, %d requests reached the thief", answer.StatusCode, caught.Load())
			}
		})
	}
}

// Whatever the provider does to a connection, the login ends, says so, and blames nobody's account.
func TestTokenEndpointTrouble(t *testing.T) {
	for name, trouble := range map[string]http.HandlerFunc{
		"stalls": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // the server sees the caller leave once the body is read
			<-r.Context().Done()
		},
		"floods": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"access_token":"`))
			for chunk := []byte(strings.Repeat("x", 64<<10)); ; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		},
		"drips": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(" ")); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
		},
		"is_down": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"limits":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
		"babbles": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
	} {
		t.Run(name, func(t *testing.T) {
			s, l := startLying(t, 500*time.Millisecond)
			l.describes = func(said map[string]any) { said["token_endpoint"] = l.issuer + "/trouble" }
			l.mux.HandleFunc("POST /trouble", trouble)
			began := time.Now()
			answer := s.throughLiar()
			if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(answer.body, "Nothing is wrong with your account") {
				t.Errorf("status %d: %s", answer.StatusCode, answer.body)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestKeyRotation(t *testing.T) {
	s, l := startLying(t, 0)
	key, id := honestKey(), "honest"
	l.signs = func(c claims) string { return signed(t, key, id, c) }
	good := func(what string) {
		t.Helper()
		if answer := s.throughLiar(); answer.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: status %d: %s", what, answer.StatusCode, answer.body)
		}
	}
	good("first key")
	good("known key")
	if asked := l.keysAsked.Load(); asked != 1 {
		t.Errorf("the keys were fetched %d times for one key", asked)
	}
	next := newRSA()
	l.keys = func() []jose.JSONWebKey { return []jose.JSONWebKey{public(next, "next")} }
	key, id = next, "next"
	s.clock.Add(int64(11 * time.Second))
	good("rotated key")
	good("rotated key again")
	if asked := l.keysAsked.Load(); asked != 2 {
		t.Errorf("the keys were fetched %d times for a rotation", asked)
	}
	key, id = honestKey(), "honest"
	s.clock.Add(int64(11 * time.Second))
	if answer := s.throughLiar(); answer.StatusCode != http.StatusForbidden {
		t.Errorf("the key that was taken away: status %d", answer.StatusCode)
	}
}

// Made-up key ids make no load on the provider.
func TestUnknownKeyIDsAreBounded(t *testing.T) {
	s, l := startLying(t, 0)
	l.signs = func(c claims) string { return signed(t, honestKey(), "made-up", c) }
	for range 5 {
		s.throughLiar()
	}
	if asked := l.keysAsked.Load(); asked != 1 {
		t.Errorf("the keys were fetched %d times", asked)
	}
}

func TestKeysAway(t *testing.T) {
	s, l := startLying(t, 0)
	l.describes = func(said map[string]any) { said["jwks_uri"] = l.issuer + "/nowhere" }
	if answer := s.throughLiar(); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d: %s", answer.StatusCode, answer.body)
	}
}

// A provider that goes away later is missed by nobody who is logged in, and found again with what it changed.
func TestProviderGoesAwayAndComesBackOtherwise(t *testing.T) {
	s, l := startLying(t, 0)
	s.throughLiar()
	callback := s.location(s.get(s.location(s.get(s.console + "/auth/login"))))
	s.down.Store(true)
	if answer := s.get(callback); answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(answer.body, "does not answer") {
		t.Errorf("status %d: %s", answer.StatusCode, answer.body)
	}
	if who := s.own(http.MethodPost, "/whoami"); who.StatusCode != http.StatusOK {
		t.Errorf("a session needs the provider: %d", who.StatusCode)
	}
	s.clock.Add(int64(61 * time.Minute))
	if answer := s.get(s.console + "/auth/login"); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("an old description while it is away: status %d", answer.StatusCode)
	}
	s.down.Store(false)
	s.clock.Add(int64(2 * time.Minute))
	l.describes = func(said map[string]any) { said["authorization_endpoint"] = l.issuer + "/moved" }
	if address := s.location(s.get(s.console + "/auth/login")); !strings.HasPrefix(address, l.issuer+"/moved?") {
		t.Errorf("sent to %s", address)
	}
}

func mustJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
