package oidc

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
)

var (
	//go:embed page.html
	pageText string
	//go:embed style.css
	styleText []byte

	pages = template.Must(template.New("page").Parse(pageText))
)

// page is what the template shows: a login form if Action is set.
type page struct {
	Title, Message string
	Style          string
	Action         string
	FormToken      string
	Email, Problem string
	Users          []User
	Client         string
}

func (p *provider) loginPage(w http.ResponseWriter, r *http.Request, status int, email, problem string) {
	p.write(w, status, page{
		Title: "Log in", Action: p.path + "/authorize?" + r.URL.RawQuery, FormToken: p.formToken(w, r),
		Email: email, Problem: problem, Users: p.config.Users, Client: r.URL.Query().Get("client_id"),
	})
}

func (p *provider) messagePage(w http.ResponseWriter, status int, title, message string) {
	p.write(w, status, page{Title: title, Message: message})
}

func (p *provider) home(w http.ResponseWriter, _ *http.Request) {
	p.messagePage(w, http.StatusOK, "Development login", "This is the OpenID provider of a development setup. Log in from the application.")
}

func (p *provider) write(w http.ResponseWriter, status int, content page) {
	content.Style = p.path + "/style.css"
	var body bytes.Buffer
	if err := pages.Execute(&body, content); err != nil {
		http.Error(w, "the page could not be rendered", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	// No form-action: Chromium applies it to the redirect back to the application too.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(styleText)
}
