package authn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Paths below the public URL. The provider must have CallbackPath registered as redirect URI and AfterLogoutPath as
// post-logout redirect URI.
const (
	LoginPath       = "/auth/login"
	CallbackPath    = "/auth/callback"
	ChoicePath      = "/auth/organization"
	LogoutPath      = "/auth/logout"
	AfterLogoutPath = "/"
)

// How long console sessions live unless configured.
const (
	DefaultSessionIdle     = 12 * time.Hour
	DefaultSessionLifetime = 7 * 24 * time.Hour
)

// Membership is one organization that a person may log in to.
type Membership struct {
	Principal Principal
	// Organization is its display name.
	Organization string
}

// Members knows the people of all organizations.
type Members interface {
	// Memberships returns the organizations that the person may log in to, by name; none: a stranger. It must match by
	// issuer and subject first, by address only if that is verified; who is invited, or may join, joins.
	Memberships(context.Context, Person) ([]Membership, error)
}

// LoginConfig is what Login needs. It holds secrets and must not be logged.
type LoginConfig struct {
	Issuer, ClientID, ClientSecret string
	// PublicURL is where browsers find the console. With https, cookies are Secure.
	PublicURL string
	// CookieKey seals what a login keeps in the browser: 32 bytes or more, the same in every process.
	CookieKey []byte
	Members   Members
	Sessions  Sessions
	// SessionIdle and SessionLifetime bound a session; zero means the defaults.
	SessionIdle, SessionLifetime time.Duration
	// HTTPClient calls the provider; nil means a client with a timeout.
	HTTPClient *http.Client
	// TrustedProxies are whose X-Forwarded-For says where a browser is; none: the connection's own address counts.
	TrustedProxies []netip.Prefix
	Logger         *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

func (c LoginConfig) validate() error {
	var faults []error
	public, err := url.Parse(c.PublicURL)
	if err != nil || public.Host == "" || (public.Scheme != "http" && public.Scheme != "https") || strings.Trim(public.Path, "/") != "" {
		faults = append(faults, fmt.Errorf("public URL %q must be http or https without a path", c.PublicURL))
	}
	if c.Issuer == "" || c.ClientID == "" || c.ClientSecret == "" {
		faults = append(faults, errors.New("the OIDC issuer, client id and client secret are required"))
	}
	if len(c.CookieKey) < 32 {
		faults = append(faults, errors.New("the cookie key must have 32 bytes or more"))
	}
	return errors.Join(faults...)
}

// Login is the console's OIDC relying party: the handlers under /auth/.
type Login struct {
	config    LoginConfig
	discovery *discovery
	attempts  sealer
	hints     sealer
	choices   sealer
}

// NewLogin makes the handlers. It does not call the provider.
func NewLogin(config LoginConfig) (*Login, error) {
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("configure login: %w", err)
	}
	config.PublicURL = originOf(config.PublicURL)
	if config.SessionIdle == 0 {
		config.SessionIdle = DefaultSessionIdle
	}
	if config.SessionLifetime == 0 {
		config.SessionLifetime = DefaultSessionLifetime
	}
	if config.HTTPClient == nil {
		config.HTTPClient = &http.Client{Timeout: providerTimeout}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	attempts, err := newSealer(config.CookieKey, "login")
	if err != nil {
		return nil, err
	}
	hints, err := newSealer(config.CookieKey, "logout hint")
	if err != nil {
		return nil, err
	}
	choices, err := newSealer(config.CookieKey, "choice of an organization")
	if err != nil {
		return nil, err
	}
	found := newDiscovery(config.Issuer, providerClient(config.HTTPClient), config.Now)
	return &Login{config: config, discovery: found, attempts: attempts, hints: hints, choices: choices}, nil
}

// Register adds the handlers to a mux.
func (l *Login) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+LoginPath, l.begin)
	mux.HandleFunc("GET "+CallbackPath, l.callback)
	mux.HandleFunc("POST "+ChoicePath, l.choose)
	mux.HandleFunc("POST "+LogoutPath, l.logout)
}

const (
	attemptCookie   = "weir_login"
	attemptLifespan = 15 * time.Minute
)

// attempt is what must come back unchanged from the provider, kept in a sealed cookie.
type attempt struct {
	State, Nonce, Verifier, ReturnTo string
	BeganAt                          time.Time
}

func (a attempt) expiresAt() time.Time { return a.BeganAt.Add(attemptLifespan) }

// begin sends the browser to the provider: /auth/login?return_to=/path. With account=other the provider asks for
// credentials even if it knows the browser.
func (l *Login) begin(w http.ResponseWriter, r *http.Request) {
	provider, err := l.discovery.provider(r.Context())
	if err != nil {
		l.refuse(w, r, providerAway, err)
		return
	}
	started := attempt{
		State: newSessionSecret(), Nonce: newSessionSecret(), Verifier: oauth2.GenerateVerifier(),
		ReturnTo: returnPath(r.URL.Query().Get("return_to")), BeganAt: l.config.Now(),
	}
	cookie, err := l.attempts.seal(started)
	if err != nil {
		l.refuse(w, r, ourFault, err)
		return
	}
	l.setCookie(w, attemptCookie, cookie, attemptLifespan)
	options := []oauth2.AuthCodeOption{
		oauth2.S256ChallengeOption(started.Verifier), oauth2.SetAuthURLParam("nonce", started.Nonce)}
	if r.URL.Query().Get("account") == "other" {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	http.Redirect(w, r, l.oauth(provider).AuthCodeURL(started.State, options...), http.StatusSeeOther)
}

func (l *Login) oauth(provider *relyingOn) *oauth2.Config {
	return &oauth2.Config{
		ClientID: l.config.ClientID, ClientSecret: l.config.ClientSecret, Endpoint: provider.endpoint,
		RedirectURL: l.config.PublicURL + CallbackPath, Scopes: []string{"openid", "profile", "email"},
	}
}
