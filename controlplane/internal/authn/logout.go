package authn

import (
	"fmt"
	"net/http"
	"net/url"
)

const (
	hintCookie = "weir_logout_hint"
	// maxHintBytes leaves room for the name and attributes in the 4096 bytes that browsers keep.
	maxHintBytes = 3800
)

// setHint keeps the ID token in the browser, sealed: the provider wants it back at logout, and nobody else needs it.
// One that is too long is left out; the provider then may ask the person to confirm.
func (l *Login) setHint(w http.ResponseWriter, idToken string) {
	sealed, err := l.hints.seal(idToken)
	if err != nil || len(sealed) > maxHintBytes {
		l.setCookie(w, hintCookie, "", 0)
		return
	}
	l.setCookie(w, hintCookie, sealed, l.config.SessionLifetime)
}

// logout ends the session here, then sends the browser to the provider to end its login there.
func (l *Login) logout(w http.ResponseWriter, r *http.Request) {
	if err := SameOrigin(r.Header, l.config.PublicURL); err != nil {
		l.refuse(w, r, foreignLogout, err)
		return
	}
	if hash, ok := sessionHash(r.Header, l.config.PublicURL); ok {
		if err := l.config.Sessions.Delete(r.Context(), hash); err != nil {
			l.refuse(w, r, logoutFailed, fmt.Errorf("end a session: %w", err))
			return
		}
	}
	l.setCookie(w, sessionCookie, "", 0)
	l.setCookie(w, hintCookie, "", 0)
	http.Redirect(w, r, l.afterLogout(r), http.StatusSeeOther)
}

// afterLogout is the provider's logout page, or our own start page if the provider has none or is away.
func (l *Login) afterLogout(r *http.Request) string {
	provider, err := l.discovery.provider(r.Context())
	if err != nil || provider.endSession == "" {
		return AfterLogoutPath
	}
	address, err := url.Parse(provider.endSession)
	if err != nil {
		return AfterLogoutPath
	}
	query := address.Query()
	query.Set("client_id", l.config.ClientID)
	query.Set("post_logout_redirect_uri", l.config.PublicURL+AfterLogoutPath)
	var hint string
	if cookie, err := r.Cookie(cookieName(hintCookie, l.config.PublicURL)); err == nil && l.hints.open(cookie.Value, &hint) == nil {
		query.Set("id_token_hint", hint)
	}
	address.RawQuery = query.Encode()
	return address.String()
}
