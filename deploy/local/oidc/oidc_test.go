package oidc_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/weirhq/weir/deploy/local/oidc"
)

const (
	clientID     = "weir-console"
	clientSecret = "a secret: with/odd+characters"
	callback     = "http://console.example/auth/callback"
	afterLogout  = "http://console.example/goodbye"
	email        = "ada@example.com"
	password     = "water"
)

func config(issuer, keyDir string) oidc.Config {
	return oidc.Config{
		Issuer: issuer, KeyDir: keyDir,
		Clients: []oidc.Client{
			{ID: clientID, Secret: clientSecret, RedirectURIs: []string{callback}, PostLogoutRedirectURIs: []string{afterLogout}},
			{ID: "other", Secret: "other", RedirectURIs: []string{"http://127.0.0.1:9/cb"}, PostLogoutRedirectURIs: []string{"http://other.example/"}},
		},
		Users: []oidc.User{
			{Email: email, Name: "Ada <Admin>", Password: password},
			{Email: "bob@example.com", Name: "Bob", Password: "stone", EmailUnverified: true},
		},
	}
}

// browser follows the provider's own redirects, keeps cookies, and stops where it is sent elsewhere.
type browser struct {
	*http.Client
	t        *testing.T
	issuer   string
	provider *goidc.Provider
	oauth    oauth2.Config
}

func start(t *testing.T) *browser {
	t.Helper()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	issuer := server.URL + "/dev"
	handler, err := oidc.New(config(issuer, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goidc.NewProvider(t.Context(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{
		t: t, issuer: issuer, provider: provider,
		Client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		oauth: oauth2.Config{ClientID: clientID, ClientSecret: clientSecret, RedirectURL: callback,
			Endpoint: provider.Endpoint(), Scopes: []string{goidc.ScopeOpenID, "profile", "email"}},
	}
}

type page struct {
	*http.Response
	body string
}

func (b *browser) do(request *http.Request, err error) page {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	response, err := b.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{response, string(body)}
}

func (b *browser) open(address string) page {
	b.t.Helper()
	return b.do(http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil))
}

func (b *browser) post(address string, form url.Values) page {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err == nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.do(request, err)
}

var (
	actionPattern = regexp.MustCompile(`action="([^"]+)"`)
	tokenPattern  = regexp.MustCompile(`name="form_token" value="([^"]+)"`)
)

// submit fills in the login form of a page.
func (b *browser) submit(p page, email, password string) page {
	b.t.Helper()
	action, token := actionPattern.FindStringSubmatch(p.body), tokenPattern.FindStringSubmatch(p.body)
	if action == nil || token == nil {
		b.t.Fatalf("no login form, status %d: %s", p.StatusCode, p.body)
	}
	address, err := p.Request.URL.Parse(html.UnescapeString(action[1]))
	if err != nil {
		b.t.Fatal(err)
	}
	return b.post(address.String(), url.Values{
		"form_token": {html.UnescapeString(token[1])}, "email": {email}, "password": {password}})
}

func (b *browser) authorizeURL(verifier string, more ...oauth2.AuthCodeOption) string {
	return b.oauth.AuthCodeURL("a-state-of-enough-length",
		append([]oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier), goidc.Nonce("a-nonce-of-enough-length")}, more...)...)
}

// redirected is the query of a redirect to the client's callback.
func (b *browser) redirected(p page) url.Values {
	b.t.Helper()
	location, err := p.Location()
	if err != nil || !strings.HasPrefix(location.String(), callback+"?") {
		b.t.Fatalf("status %d, location %v, %v: %s", p.StatusCode, location, err, p.body)
	}
	return location.Query()
}

func (b *browser) logIn(verifier string) string {
	b.t.Helper()
	query := b.redirected(b.submit(b.open(b.authorizeURL(verifier)), email, password))
	if query.Get("state") != "a-state-of-enough-length" || query.Get("code") == "" {
		b.t.Fatalf("redirected with %v", query)
	}
	return query.Get("code")
}

func TestConfigIsValidatedWhole(t *testing.T) {
	_, err := oidc.New(oidc.Config{Issuer: "http://x/", Clients: []oidc.Client{{ID: "c"}}, Users: []oidc.User{{Email: "e"}}})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{"issuer", "key folder", `client "c"`, `user "e"`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %s", err, part)
		}
	}
}

func TestSigningKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	keys := func() string {
		handler, err := oidc.New(config("http://localhost:1", dir))
		if err != nil {
			t.Fatal(err)
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/jwks.json", nil))
		return recorder.Body.String()
	}
	first := keys()
	if second := keys(); first != second || !strings.Contains(first, `"alg":"RS256"`) || strings.Contains(first, `"d":`) {
		t.Errorf("keys %s, after a restart %s", first, second)
	}
	path := filepath.Join(dir, "signing-key.pem")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := oidc.New(config("http://localhost:1", dir)); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a broken key file: %v", err)
	}
}
