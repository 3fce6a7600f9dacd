package oidc

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/token/jwt"
)

var scopes = []string{"openid", "profile", "email"}

// authorize answers with a code if the browser has logged in before, else with the login page.
func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	request, ok := p.authorizeRequest(w, r)
	if !ok {
		return
	}
	now := time.Now()
	prompt := strings.Fields(request.GetRequestForm().Get("prompt"))
	before, known := p.logins.find(p.cookie(r, "login"), now)
	switch {
	case known && !slices.Contains(prompt, "login") && !slices.Contains(prompt, "select_account"):
		p.answer(w, r, request, before)
	case slices.Contains(prompt, "none"):
		p.oauth.WriteAuthorizeError(r.Context(), w, request, fosite.ErrLoginRequired)
	default:
		p.loginPage(w, r, http.StatusOK, "", "")
	}
}

// login takes the login page's form, which is posted to the address of the authorization request itself.
func (p *provider) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		p.messagePage(w, http.StatusBadRequest, "The form could not be read", "Go back to the application and log in again.")
		return
	}
	if !p.formTokenValid(r) {
		p.messagePage(w, http.StatusForbidden, "This form is out of date",
			"It was opened before the provider restarted, in another browser, or by another page. Go back to the application and log in again.")
		return
	}
	request, ok := p.authorizeRequest(w, r)
	if !ok {
		return
	}
	email := r.PostForm.Get("email")
	user, ok := p.authenticate(email, r.PostForm.Get("password"))
	if !ok {
		p.loginPage(w, r, http.StatusUnauthorized, email, "The e-mail address or the password is wrong.")
		return
	}
	now := time.Now()
	p.logins.remove(p.cookie(r, "login"))
	p.setCookie(w, "login", p.logins.add(user, now), int(loginLifespan/time.Second))
	p.answer(w, r, request, login{user: user, at: now})
}

// authorizeRequest checks everything about the request but who makes it. It answers by itself when that fails: by
// redirect only to an address that the client registered.
func (p *provider) authorizeRequest(w http.ResponseWriter, r *http.Request) (fosite.AuthorizeRequester, bool) {
	query := r.Clone(r.Context())
	query.Method, query.Body, query.Form, query.PostForm = http.MethodGet, http.NoBody, nil, nil
	request, err := p.oauth.NewAuthorizeRequest(r.Context(), query)
	client := p.clients[request.GetRequestForm().Get("client_id")]
	if !slices.Contains(client.RedirectURIs, request.GetRequestForm().Get("redirect_uri")) {
		p.messagePage(w, http.StatusBadRequest, "The application's request is not valid",
			"Its client id or redirect URI is not registered with this provider.")
		return nil, false
	}
	if form := request.GetRequestForm(); err == nil && (form.Get("code_challenge") == "" || form.Get("code_challenge_method") != "S256") {
		err = fosite.ErrInvalidRequest.WithHint("Clients must use PKCE with code_challenge_method=S256.")
	}
	if err == nil && !request.GetRequestedScopes().Has("openid") {
		err = fosite.ErrInvalidScope.WithHint("The scope must contain openid.")
	}
	if err != nil {
		p.oauth.WriteAuthorizeError(r.Context(), w, request, err)
		return nil, false
	}
	return request, true
}

// answer redirects back with a code.
func (p *provider) answer(w http.ResponseWriter, r *http.Request, request fosite.AuthorizeRequester, who login) {
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
	response, err := p.oauth.NewAuthorizeResponse(r.Context(), request, p.session(request, who))
	if err != nil {
		p.oauth.WriteAuthorizeError(r.Context(), w, request, err)
		return
	}
	p.oauth.WriteAuthorizeResponse(r.Context(), w, request, response)
}

func (p *provider) session(request fosite.AuthorizeRequester, who login) *openid.DefaultSession {
	subject := who.user.subject()
	return &openid.DefaultSession{
		Subject: subject, Username: who.user.Email,
		Headers: &jwt.Headers{Extra: map[string]any{"kid": p.keyID}},
		Claims: &jwt.IDTokenClaims{
			Issuer: p.config.Issuer, Subject: subject, RequestedAt: request.GetRequestedAt(),
			AuthTime: who.at, Extra: claims(request.GetGrantedScopes(), who.user),
		},
	}
}

func claims(scopes fosite.Arguments, user User) map[string]any {
	extra := map[string]any{}
	if scopes.Has("email") {
		extra["email"] = user.Email
		extra["email_verified"] = !user.EmailUnverified
	}
	if scopes.Has("profile") {
		extra["name"] = user.Name
	}
	return extra
}
