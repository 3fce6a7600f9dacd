// Package oidc is an OpenID provider for development: real protocol, users and passwords from its configuration,
// shown on its own login page.
//
// It owns the login page, its sessions, codes and tokens, and its signing key; how requests, errors and claims look on the
// wire is the library's. It must never be reachable by people who are not meant to
// have every account: put any OpenID provider in its place in production.
package oidc

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"
	protocol "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/schema"
)

// Client is a relying party.
type Client struct {
	ID, Secret string
	// RedirectURIs and PostLogoutRedirectURIs are compared whole, ports included.
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
}

// User is somebody who can log in. The subject of the tokens is derived from Email.
type User struct {
	Email, Name, Password string
	// EmailUnverified makes the tokens say email_verified: false.
	EmailUnverified bool
}

// Config is all that a provider needs.
type Config struct {
	// Issuer is the URL under which browsers and clients reach the handler, without a trailing slash.
	Issuer  string
	Clients []Client
	Users   []User
	// KeyDir keeps the signing key (mode 0600) over restarts. It is made when missing.
	KeyDir string
}

func (c Config) validate() error {
	var faults []error
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Host == "" || (issuer.Scheme != "http" && issuer.Scheme != "https") ||
		strings.HasSuffix(c.Issuer, "/") || issuer.RawQuery != "" || issuer.Fragment != "" {
		faults = append(faults, fmt.Errorf("issuer %q must be an http or https URL without trailing slash, query or fragment", c.Issuer))
	}
	if c.KeyDir == "" {
		faults = append(faults, errors.New("a key folder is required"))
	}
	for _, client := range c.Clients {
		if client.ID == "" || client.Secret == "" || len(client.RedirectURIs) == 0 {
			faults = append(faults, fmt.Errorf("client %q needs an id, a secret and a redirect URI", client.ID))
		}
	}
	for _, user := range c.Users {
		if user.Email == "" || user.Password == "" {
			faults = append(faults, fmt.Errorf("user %q needs an e-mail address and a password", user.Email))
		}
	}
	return errors.Join(faults...)
}

type provider struct {
	config  Config
	path    string // of the issuer
	secure  bool
	clients map[string]Client
	key     *rsa.PrivateKey
	keyID   string
	signer  jose.Signer
	logins  *logins
	grants  *grants
	secret  []byte
	decoder *schema.Decoder
	encoder *schema.Encoder
}

// New makes a provider and its handler, which serves everything below the issuer's path.
func New(config Config) (http.Handler, error) {
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("configure the development provider: %w", err)
	}
	key, err := loadKey(config.KeyDir)
	if err != nil {
		return nil, err
	}
	issuer, err := url.Parse(config.Issuer)
	if err != nil {
		return nil, err
	}
	p := &provider{
		config: config, path: issuer.Path, secure: issuer.Scheme == "https", clients: map[string]Client{},
		key: key, keyID: keyID(key), logins: newLogins(), grants: newGrants(), secret: randomBytes(),
		decoder: schema.NewDecoder(), encoder: protocol.NewEncoder(),
	}
	p.decoder.IgnoreUnknownKeys(true)
	if p.signer, err = newSigner(key); err != nil {
		return nil, err
	}
	for _, client := range config.Clients {
		p.clients[client.ID] = client
	}
	return p.routes(), nil
}

func (p *provider) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+p.path+"/.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET "+p.path+"/jwks.json", p.keys)
	mux.HandleFunc("GET "+p.path+"/authorize", p.authorize)
	mux.HandleFunc("POST "+p.path+"/authorize", p.login)
	mux.HandleFunc("POST "+p.path+"/token", p.token)
	mux.HandleFunc("GET "+p.path+"/userinfo", p.userinfo)
	mux.HandleFunc("POST "+p.path+"/userinfo", p.userinfo)
	mux.HandleFunc("GET "+p.path+"/logout", p.logout)
	mux.HandleFunc("POST "+p.path+"/logout", p.logout)
	mux.HandleFunc("GET "+p.path+"/style.css", style)
	mux.HandleFunc("GET "+p.path+"/{$}", p.home)
	return mux
}

func (u User) subject() string {
	hash := sha256.Sum256([]byte(strings.ToLower(u.Email)))
	return "dev-" + hex.EncodeToString(hash[:8])
}

func randomBytes() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails, by its documentation
	return b
}
