package authn_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// liar is a provider that does what a test wants: honest where nothing is said.
type liar struct {
	t      *testing.T
	issuer string
	mux    *http.ServeMux

	mu     sync.Mutex
	nonces map[string]string // by code
	last   url.Values        // of the latest token request

	// describes, answers and claims change what the provider says.
	describes func(map[string]any)
	answers   func(url.Values)
	claims    func(map[string]any)
	// signs makes the ID token; nil: RS256 with the first key.
	signs func(claims map[string]any) string
	// keys that the provider publishes.
	keys     func() []jose.JSONWebKey
	userinfo map[string]any

	keysAsked, tokensAsked atomic.Int64
}

var honestKey = sync.OnceValue(newRSA)

func newRSA() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func public(key *rsa.PrivateKey, id string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: &key.PublicKey, KeyID: id, Algorithm: "RS256", Use: "sig"}
}

// startLying starts a console that relies on a liar.
func startLying(t *testing.T, timeout time.Duration) (*setup, *liar) {
	t.Helper()
	l := &liar{t: t, nonces: map[string]string{}, mux: http.NewServeMux()}
	l.keys = func() []jose.JSONWebKey { return []jose.JSONWebKey{public(honestKey(), "honest")} }
	s := startWith(t, timeout, func(issuer, _ string) http.Handler {
		l.issuer = issuer
		return l.mux
	})
	l.mux.HandleFunc("GET /.well-known/openid-configuration", l.describe)
	l.mux.HandleFunc("GET /authorize", l.authorize)
	l.mux.HandleFunc("POST /token", l.token)
	l.mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		l.keysAsked.Add(1)
		write(w, map[string]any{"keys": l.keys()})
	})
	l.mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) { write(w, l.userinfo) })
	return s, l
}

func write(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func (l *liar) describe(w http.ResponseWriter, _ *http.Request) {
	said := map[string]any{
		"issuer": l.issuer, "authorization_endpoint": l.issuer + "/authorize", "token_endpoint": l.issuer + "/token",
		"jwks_uri": l.issuer + "/keys", "userinfo_endpoint": l.issuer + "/userinfo",
		"id_token_signing_alg_values_supported": []string{"RS256"},
	}
	if l.describes != nil {
		l.describes(said)
	}
	write(w, said)
}

// authorize knows everybody and asks nothing.
func (l *liar) authorize(w http.ResponseWriter, r *http.Request) {
	code := rand.Text()
	l.mu.Lock()
	l.nonces[code] = r.URL.Query().Get("nonce")
	l.mu.Unlock()
	answer := url.Values{"code": {code}, "state": {r.URL.Query().Get("state")}}
	if l.answers != nil {
		l.answers(answer)
	}
	http.Redirect(w, r, r.URL.Query().Get("redirect_uri")+"?"+answer.Encode(), http.StatusSeeOther)
}

// token takes every code, as often as it comes.
func (l *liar) token(w http.ResponseWriter, r *http.Request) {
	l.tokensAsked.Add(1)
	_ = r.ParseForm()
	l.mu.Lock()
	l.last = maps.Clone(r.PostForm)
	nonce := l.nonces[r.PostForm.Get("code")]
	l.mu.Unlock()
	now := time.Now()
	claims := map[string]any{
		"iss": l.issuer, "sub": "ada", "aud": "console", "nonce": nonce, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"email": "ada@example.com", "email_verified": true, "name": "Ada",
	}
	if l.claims != nil {
		l.claims(claims)
	}
	signs := l.signs
	if signs == nil {
		signs = func(claims map[string]any) string { return signed(l.t, honestKey(), "honest", claims) }
	}
	write(w, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": signs(claims)})
}

func signed(t *testing.T, key *rsa.PrivateKey, id string, claims map[string]any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	if id != "" {
		options = options.WithHeader("kid", id)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// handmade is a token that no library signs.
func handmade(t *testing.T, header, claims map[string]any, sign func(input string) []byte) string {
	t.Helper()
	encode := func(value any) string {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	input := encode(header) + "." + encode(claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(sign(input))
}

// throughLiar goes the whole way; the liar asks for nothing.
func (s *setup) throughLiar() page {
	s.t.Helper()
	return s.get(s.location(s.get(s.location(s.get(s.console + "/auth/login")))))
}

// challengeOf is the S256 challenge of a verifier.
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
