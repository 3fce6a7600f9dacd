package authn_test

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/deploy/local/oidc"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var ada = authn.Principal{
	Kind: authn.Member, ID: uuid.MustParse("11111111-1111-4111-8111-111111111111"),
	OrganizationID: uuid.MustParse("22222222-2222-4222-8222-222222222222"), Role: eventv1.Role_ROLE_ADMIN, Display: "Ada",
}

// members knows one address, and then its person; others are further organizations of that one.
type members struct {
	email   string
	seen    atomic.Pointer[authn.Person]
	subject string
	others  []authn.Membership
}

func (m *members) Memberships(_ context.Context, person authn.Person) ([]authn.Membership, error) {
	m.seen.Store(&person)
	if person.Email == m.email && person.EmailVerified {
		m.subject = person.Subject
	}
	if m.subject == "" || person.Subject != m.subject {
		return nil, nil
	}
	return append([]authn.Membership{{Principal: ada, Organization: "Acme"}}, m.others...), nil
}

// sessions keeps them in memory; err stands for a store that is away.
type sessions struct {
	mu    sync.Mutex
	known map[[32]byte]authn.Session
	spent map[[32]byte]bool
	err   error
}

func newSessions() *sessions {
	return &sessions{known: map[[32]byte]authn.Session{}, spent: map[[32]byte]bool{}}
}

func (s *sessions) Create(_ context.Context, session authn.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.known[session.Hash] = session
	}
	return s.err
}

func (s *sessions) Find(_ context.Context, hash [32]byte, _ time.Time) (authn.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, ok := s.known[hash]
	if !ok && s.err == nil {
		return session, authn.ErrNoSession
	}
	return session, s.err
}

func (s *sessions) Spend(_ context.Context, login [32]byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && s.spent[login] {
		return authn.ErrSpent
	}
	s.spent[login] = true
	return s.err
}

func (s *sessions) Touch(_ context.Context, hash [32]byte, seenAt, idleExpiresAt time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if session, ok := s.known[hash]; ok {
		session.LastSeenAt, session.IdleExpiresAt = seenAt, idleExpiresAt
		s.known[hash] = session
	}
	return s.err
}

func (s *sessions) Delete(_ context.Context, hash [32]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		delete(s.known, hash)
	}
	return s.err
}

func (s *sessions) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.known)
}

// setup is a console at one address, the development provider at another and a browser before both.
type setup struct {
	*http.Client
	t        *testing.T
	console  string
	members  *members
	sessions *sessions
	clock    atomic.Int64  // added to the time, in nanoseconds
	down     atomic.Bool   // the provider
	timeout  time.Duration // of calls to the provider; zero: the default
}

type swappable struct{ http.Handler }

func start(t *testing.T) *setup {
	t.Helper()
	return startWith(t, 0, func(issuer, console string) http.Handler { return newProvider(t, issuer, console) })
}

// startWith is start with another provider.
func startWith(t *testing.T, timeout time.Duration, newProvider func(issuer, console string) http.Handler) *setup {
	t.Helper()
	var provider, console swappable
	s := &setup{t: t, timeout: timeout, members: &members{email: "ada@example.com"}, sessions: newSessions()}
	providerServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		provider.ServeHTTP(w, r)
	}))
	consoleServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { console.ServeHTTP(w, r) }))
	t.Cleanup(providerServer.Close)
	t.Cleanup(consoleServer.Close)
	s.console = consoleServer.URL
	provider.Handler = newProvider(providerServer.URL, s.console)
	console.Handler = s.handler(providerServer.URL)
	s.Client = newBrowser(t)
	return s
}

func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func newProvider(t *testing.T, issuer, console string) http.Handler {
	t.Helper()
	handler, err := oidc.New(oidc.Config{
		Issuer: issuer, KeyDir: t.TempDir(),
		Clients: []oidc.Client{{ID: "console", Secret: "secret", RedirectURIs: []string{console + authn.CallbackPath},
			PostLogoutRedirectURIs: []string{console + authn.AfterLogoutPath}}},
		Users: []oidc.User{
			{Email: "ada@example.com", Name: "Ada", Password: "water"},
			{Email: "eve@example.com", Name: "Eve", Password: "stone"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func (s *setup) now() time.Time { return time.Now().Add(time.Duration(s.clock.Load())) }

// handler is the console's login and a page that tells who is there.
func (s *setup) handler(issuer string) http.Handler {
	s.t.Helper()
	logger := slog.New(slog.DiscardHandler)
	var client *http.Client
	if s.timeout > 0 {
		client = &http.Client{Timeout: s.timeout}
	}
	login, err := authn.NewLogin(authn.LoginConfig{
		HTTPClient: client, Issuer: issuer, ClientID: "console", ClientSecret: "secret", PublicURL: s.console + "/",
		CookieKey: []byte(strings.Repeat("k", 32)), Members: s.members, Sessions: s.sessions, Logger: logger, Now: s.now,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	authenticator := authn.NewAuthenticator(authn.AuthenticatorConfig{
		Sessions: s.sessions, PublicURL: s.console, Logger: logger, Now: s.now})
	mux := http.NewServeMux()
	login.Register(mux)
	mux.HandleFunc("POST /whoami", func(w http.ResponseWriter, r *http.Request) {
		principal, err := authenticator.Authenticate(r.Context(), r.Header)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(principal)
	})
	return mux
}

type page struct {
	*http.Response
	body string
}

func (s *setup) send(method, address string, form url.Values, header http.Header) page {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if header != nil {
		request.Header = header
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := s.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return page{response, string(body)}
}

func (s *setup) get(address string) page {
	s.t.Helper()
	return s.send(http.MethodGet, address, nil, nil)
}

func (s *setup) own(method, path string) page {
	s.t.Helper()
	return s.send(method, s.console+path, nil, http.Header{"Sec-Fetch-Site": {"same-origin"}})
}

func (s *setup) location(p page) string {
	s.t.Helper()
	if p.StatusCode != http.StatusSeeOther && p.StatusCode != http.StatusFound {
		s.t.Fatalf("status %d instead of a redirect: %s", p.StatusCode, p.body)
	}
	location, err := p.Location()
	if err != nil {
		s.t.Fatal(err)
	}
	return location.String()
}

var (
	actionPattern = regexp.MustCompile(`action="([^"]+)"`)
	tokenPattern  = regexp.MustCompile(`name="form_token" value="([^"]+)"`)
)

// atProvider logs in at the provider's address and returns where it sends the browser.
func (s *setup) atProvider(address, email, password string) string {
	s.t.Helper()
	form := s.get(address)
	action, token := actionPattern.FindStringSubmatch(form.body), tokenPattern.FindStringSubmatch(form.body)
	if action == nil || token == nil {
		s.t.Fatalf("no login form, status %d: %s", form.StatusCode, form.body)
	}
	target, err := form.Request.URL.Parse(html.UnescapeString(action[1]))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.location(s.send(http.MethodPost, target.String(), url.Values{
		"form_token": {html.UnescapeString(token[1])}, "email": {email}, "password": {password}}, http.Header{}))
}

// logIn goes the whole way and returns the console's answer to the callback.
func (s *setup) logIn(query, email, password string) page {
	s.t.Helper()
	return s.get(s.atProvider(s.location(s.get(s.console+authn.LoginPath+query)), email, password))
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
