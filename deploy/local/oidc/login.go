package oidc

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	loginLifespan = 12 * time.Hour
	maxLogins     = 10_000
	maxFormBytes  = 64 << 10
)

// logins are the browsers that have logged in at this provider. They are forgotten on restart.
type logins struct {
	mu    sync.Mutex
	known map[[32]byte]login
}

type login struct {
	user User
	at   time.Time
}

func newLogins() *logins { return &logins{known: map[[32]byte]login{}} }

func (l *logins) add(user User, at time.Time) (token string) {
	token = newToken()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) >= maxLogins {
		clear(l.known)
	}
	l.known[sha256.Sum256([]byte(token))] = login{user: user, at: at}
	return token
}

func (l *logins) find(token string, now time.Time) (login, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.known[sha256.Sum256([]byte(token))]
	return found, ok && now.Sub(found.at) < loginLifespan
}

func (l *logins) remove(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, sha256.Sum256([]byte(token)))
}

// authenticate takes as long for an unknown address as for a wrong password.
func (p *provider) authenticate(email, password string) (User, bool) {
	given := sha256.Sum256([]byte(password))
	var found User
	known := 0
	for _, user := range p.config.Users {
		want := sha256.Sum256([]byte(user.Password))
		match := subtle.ConstantTimeCompare(want[:], given[:])
		if strings.EqualFold(user.Email, strings.TrimSpace(email)) {
			found, known = user, match
		}
	}
	return found, known == 1
}

// cookieName is the issuer's own: browsers share cookies between the ports of one host.
func (p *provider) cookieName(purpose string) string {
	hash := sha256.Sum256([]byte(p.config.Issuer))
	return "dev_oidc_" + purpose + "_" + hex.EncodeToString(hash[:4])
}

func (p *provider) setCookie(w http.ResponseWriter, purpose, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(purpose), Value: value, Path: p.path + "/", MaxAge: maxAge,
		HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode,
	})
}

func (p *provider) cookie(r *http.Request, purpose string) string {
	cookie, err := r.Cookie(p.cookieName(purpose))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// formToken ties a login form to the browser it was given to and to the authorization request it answers.
func (p *provider) formToken(w http.ResponseWriter, r *http.Request) string {
	browser := p.cookie(r, "form")
	if browser == "" {
		browser = newToken()
		p.setCookie(w, "form", browser, 0)
	}
	return p.signForm(browser, r.URL.RawQuery)
}

func (p *provider) formTokenValid(r *http.Request) bool {
	browser := p.cookie(r, "form")
	want := p.signForm(browser, r.URL.RawQuery)
	return browser != "" && subtle.ConstantTimeCompare([]byte(want), []byte(r.PostForm.Get("form_token"))) == 1
}

func (p *provider) signForm(browser, query string) string {
	mac := hmac.New(sha256.New, p.secret)
	mac.Write([]byte(browser + "\x00" + query))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
