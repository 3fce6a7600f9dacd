package authn

import (
	"crypto/sha256"
	"fmt"
	"net/http"

	"github.com/google/uuid"
)

const maxUserAgentRunes = 200

// enter starts a session and goes on to the page that was asked for.
func (l *Login) enter(w http.ResponseWriter, r *http.Request, principal Principal, returnTo string) {
	if err := l.startSession(w, r, principal); err != nil {
		l.refuse(w, r, ourFault, err)
		return
	}
	http.Redirect(w, r, returnTo, http.StatusSeeOther)
}

// startSession replaces the browser's session, so that nobody goes on with one that was planted.
func (l *Login) startSession(w http.ResponseWriter, r *http.Request, principal Principal) error {
	if old, ok := sessionHash(r.Header, l.config.PublicURL); ok {
		if err := l.config.Sessions.Delete(r.Context(), old); err != nil {
			return fmt.Errorf("end the session before: %w", err)
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make a session's id: %w", err)
	}
	now, secret := l.config.Now(), newSessionSecret()
	session := Session{
		ID: id, Hash: sha256.Sum256([]byte(secret)), Principal: principal, CreatedAt: now, LastSeenAt: now,
		Address: ClientAddress(r.RemoteAddr, r.Header, l.config.TrustedProxies), UserAgent: shortened(r.UserAgent(), maxUserAgentRunes),
		IdleExpiresAt: now.Add(l.config.SessionIdle), ExpiresAt: now.Add(l.config.SessionLifetime),
	}
	if err := l.config.Sessions.Create(r.Context(), session); err != nil {
		return fmt.Errorf("start a session: %w", err)
	}
	l.setCookie(w, sessionCookie, secret, l.config.SessionLifetime)
	l.config.Logger.InfoContext(r.Context(), "logged in", "actor", principal.Actor(), "organization_id", principal.OrganizationID)
	return nil
}
