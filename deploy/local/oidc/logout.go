package oidc

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// logout is https://openid.net/specs/openid-connect-rpinitiated-1_0.html: it ends the browser's login here and goes
// back to the application, if the address is one that the application registered.
func (p *provider) logout(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		p.messagePage(w, http.StatusBadRequest, "The request could not be read", "Go back to the application and log out again.")
		return
	}
	clientID, ok := p.logoutClient(r.Form)
	if !ok {
		p.messagePage(w, http.StatusBadRequest, "The application's request is not valid",
			"It names somebody's ID token that this provider did not issue to it. You are still logged in.")
		return
	}
	p.logins.remove(p.cookie(r, "login"))
	p.setCookie(w, "login", "", -1)
	target := r.Form.Get("post_logout_redirect_uri")
	if target == "" {
		p.messagePage(w, http.StatusOK, "You are logged out", "You can close this page.")
		return
	}
	if !slices.Contains(p.clients[clientID].PostLogoutRedirectURIs, target) {
		p.messagePage(w, http.StatusBadRequest, "You are logged out",
			"The application asked to be called back at an address that is not registered with this provider.")
		return
	}
	http.Redirect(w, r, withState(target, r.Form.Get("state")), http.StatusSeeOther)
}

// logoutClient is the client that the hint was issued to, or the one named if there is no hint. It is empty if neither
// is given.
func (p *provider) logoutClient(form url.Values) (string, bool) {
	named, hint := form.Get("client_id"), form.Get("id_token_hint")
	if hint == "" {
		return named, true
	}
	token, err := jwt.ParseSigned(hint, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return "", false
	}
	var claims jwt.Claims // an expired token is as good a hint
	if err := token.Claims(&p.key.PublicKey, &claims); err != nil || claims.Issuer != p.config.Issuer || len(claims.Audience) == 0 {
		return "", false
	}
	if named != "" && !claims.Audience.Contains(named) {
		return "", false
	}
	return claims.Audience[0], true
}

func withState(target, state string) string {
	address, err := url.Parse(target)
	if err != nil || state == "" {
		return target
	}
	query := address.Query()
	query.Set("state", state)
	address.RawQuery = query.Encode()
	return address.String()
}
