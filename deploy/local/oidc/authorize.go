package oidc

import (
	"net/http"
	"slices"
	"time"

	protocol "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

var scopes = []string{"openid", "profile", "email"}

const minStateBytes = 8 // of state and nonce: shorter ones can be guessed

// authorize answers with a code if the browser has logged in before, else with the login page.
func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	request, ok := p.authorizeRequest(w, r)
	if !ok {
		return
	}
	before, known := p.logins.find(p.cookie(r, "login"), time.Now())
	switch {
	case known && !mustLogInAgain(request, before.at):
		p.answer(w, r, request, before)
	case slices.Contains(request.Prompt, protocol.PromptNone):
		p.refuse(w, r, request, protocol.ErrLoginRequired())
	default:
		p.loginPage(w, r, http.StatusOK, "", "")
	}
}

func mustLogInAgain(request *protocol.AuthRequest, loggedIn time.Time) bool {
	return slices.Contains(request.Prompt, protocol.PromptLogin) || slices.Contains(request.Prompt, protocol.PromptSelectAccount) ||
		(request.MaxAge != nil && time.Since(loggedIn).Seconds() > float64(*request.MaxAge))
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
func (p *provider) authorizeRequest(w http.ResponseWriter, r *http.Request) (*protocol.AuthRequest, bool) {
	query := r.Clone(r.Context())
	query.Method, query.Body, query.Form, query.PostForm = http.MethodGet, http.NoBody, nil, nil
	request, err := op.ParseAuthorizeRequest(query, p.decoder)
	if err != nil {
		p.messagePage(w, http.StatusBadRequest, "The application's request is not valid", "Its parameters could not be read.")
		return nil, false
	}
	if !slices.Contains(p.clients[request.ClientID].RedirectURIs, request.RedirectURI) {
		p.messagePage(w, http.StatusBadRequest, "The application's request is not valid",
			"Its client id or redirect URI is not registered with this provider.")
		return nil, false
	}
	if fault := check(request); fault != nil {
		p.refuse(w, r, request, fault)
		return nil, false
	}
	return request, true
}

// check returns what the client is told by redirect, or nil.
func check(r *protocol.AuthRequest) *protocol.Error {
	invalid := protocol.ErrInvalidRequest()
	switch {
	case r.RequestParam != "":
		return protocol.ErrRequestNotSupported()
	case r.ResponseType != protocol.ResponseTypeCode:
		return &protocol.Error{ErrorType: "unsupported_response_type", Description: "Only response_type=code is supported."}
	case r.ResponseMode != "" && r.ResponseMode != protocol.ResponseModeQuery:
		return invalid.WithDescription("Only response_mode=query is supported.")
	case r.CodeChallenge == "" || r.CodeChallengeMethod != protocol.CodeChallengeMethodS256:
		return invalid.WithDescription("Clients must use PKCE with code_challenge_method=S256.")
	case len(r.State) < minStateBytes || (r.Nonce != "" && len(r.Nonce) < minStateBytes):
		return invalid.WithDescription("state and nonce must have at least %d characters.", minStateBytes)
	case slices.Contains(r.Prompt, protocol.PromptNone) && len(r.Prompt) > 1:
		return invalid.WithDescription("prompt=none must stand alone.")
	case !slices.Contains(r.Scopes, protocol.ScopeOpenID):
		return protocol.ErrInvalidScope().WithDescription("The scope must contain openid.")
	}
	for _, scope := range r.Scopes {
		if !slices.Contains(scopes, scope) {
			return protocol.ErrInvalidScope().WithDescription("The scopes are openid, profile and email.")
		}
	}
	return nil
}

// answer redirects back with a code.
func (p *provider) answer(w http.ResponseWriter, r *http.Request, request *protocol.AuthRequest, who login) {
	code := p.grants.addCode(grant{request: request, who: who}, time.Now())
	p.redirect(w, r, request, op.CodeResponseType{Code: code, State: request.State})
}

func (p *provider) refuse(w http.ResponseWriter, r *http.Request, request *protocol.AuthRequest, fault *protocol.Error) {
	fault.State = request.State
	p.redirect(w, r, request, fault)
}

func (p *provider) redirect(w http.ResponseWriter, r *http.Request, request *protocol.AuthRequest, parameters any) {
	address, err := op.AuthResponseURL(request.RedirectURI, protocol.ResponseTypeCode, protocol.ResponseModeQuery, parameters, p.encoder)
	if err != nil {
		p.messagePage(w, http.StatusInternalServerError, "The answer could not be built", "Go back to the application and log in again.")
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func claims(scopes []string, user User) map[string]any {
	extra := map[string]any{}
	if slices.Contains(scopes, protocol.ScopeEmail) {
		extra["email"] = user.Email
		extra["email_verified"] = !user.EmailUnverified
	}
	if slices.Contains(scopes, protocol.ScopeProfile) {
		extra["name"] = user.Name
	}
	return extra
}
