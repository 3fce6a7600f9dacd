package authn

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
)

// refusal is what a person reads when a login does not go on, and the way out.
type refusal struct {
	status         int
	Title, Message string
	// Link is where the way out leads; empty for none.
	LinkText, Link string
	logged         string
}

var (
	again        = LoginPath
	otherAccount = LoginPath + "?account=other"

	providerAway = refusal{http.StatusServiceUnavailable, "Login is not available right now",
		"The login provider does not answer. Nothing is wrong with your account. Wait a moment and try again; if it goes on, tell whoever runs this installation.",
		"Try again", again, "login provider away"}
	providerRefused = refusal{http.StatusForbidden, "You are not logged in",
		"The login provider stopped the login, or it was cancelled there.", "Try again", again, "login refused by provider"}
	attemptLost = refusal{http.StatusBadRequest, "This login can't go on",
		"It took too long, was already used, or began in another window or browser. Start again from here.",
		"Log in", again, "login attempt lost"}
	untrustedAnswer = refusal{http.StatusForbidden, "You are not logged in",
		"The login provider's answer could not be verified. Try again; if it goes on, tell whoever runs this installation.",
		"Try again", again, "login answer not verified"}
	notMember = refusal{http.StatusForbidden, "You are not a member yet",
		"You logged in, but this account belongs to no organization here, or its e-mail address is not verified. Ask an owner of your organization to add you, or use another account.",
		"Log in with another account", otherAccount, "login of a non-member"}
	ourFault = refusal{http.StatusServiceUnavailable, "Login is not available right now",
		"Your account is fine, but the login could not be completed on our side. Wait a moment and try again.",
		"Try again", again, "login failed"}
	logoutFailed = refusal{http.StatusServiceUnavailable, "You are still logged in",
		"The session could not be ended right now. Go back and try again in a moment.", "", "", "logout failed"}
	foreignLogout = refusal{http.StatusForbidden, "You are still logged in",
		"Another site asked to log you out. Use the console's own button if you want to.", "Open the console", "/", "logout from elsewhere"}
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

//go:embed page.css
var pageStyle string

var pagePolicy = func() string {
	hash := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(hash[:]) + "'"
}()

// page is what a person sees between the provider and the console.
type page struct {
	Title, Message string
	// Link is where the way out leads; empty for none.
	LinkText, Link string
	// Choices are organizations to go on to.
	Choices []Membership
}

// refuse logs the cause and shows the page; the cause itself is nothing for the page.
func (l *Login) refuse(w http.ResponseWriter, r *http.Request, why refusal, cause error) {
	l.config.Logger.WarnContext(r.Context(), "login or logout refused", "why", why.logged, "error", cause)
	l.show(w, why.status, page{Title: why.Title, Message: why.Message, LinkText: why.LinkText, Link: why.Link})
}

func (l *Login) show(w http.ResponseWriter, status int, p page) {
	var body bytes.Buffer
	err := pageTemplate.Execute(&body, struct {
		page
		Style        template.CSS
		ChoiceAction string
	}{p, template.CSS(pageStyle), ChoicePath})
	if err != nil {
		http.Error(w, p.Title, status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", pagePolicy)
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}
