package authn

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// cookieName tells consoles on several ports of one host apart: browsers do not. Over https the prefix makes browsers
// refuse the cookie from any other host, a neighbour in the same domain included, and over http (RFC 6265bis,
// section 4.1.3): nobody can plant a session, or a login of their own, in somebody's browser.
func cookieName(name, publicURL string) string {
	parsed, err := url.Parse(publicURL)
	if err != nil {
		return name
	}
	if parsed.Scheme == "https" {
		name = cookiePrefix(name) + name
	}
	if parsed.Port() != "" {
		name += "_" + parsed.Port()
	}
	return name
}

// cookiePrefix: a __Host- cookie goes with every request; the logout hint, which may be long, is for /auth/ only.
func cookiePrefix(name string) string {
	if cookiePath(name) == "/" {
		return "__Host-"
	}
	return "__Secure-"
}

func cookiePath(name string) string {
	if name == hintCookie {
		return "/auth/"
	}
	return "/"
}

// setCookie sets a cookie that no script sees; a lifespan of zero removes it.
func (l *Login) setCookie(w http.ResponseWriter, name, value string, lifespan time.Duration) {
	maxAge := int(lifespan / time.Second)
	if maxAge == 0 {
		maxAge = -1
	}
	w.Header().Set("Cache-Control", "no-store")
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(name, l.config.PublicURL), Value: value, Path: cookiePath(name), MaxAge: maxAge, HttpOnly: true,
		Secure: strings.HasPrefix(l.config.PublicURL, "https:"), SameSite: http.SameSiteLaxMode,
	})
}
