package authn

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"time"
)

const sessionCookie = "weir_session"

// SessionCookie names the cookie of a logged-in console. Its value is 32 random bytes in base64url.
func SessionCookie(publicURL string) string { return cookieName(sessionCookie, publicURL) }

// cookieName tells consoles on several ports of one host apart: browsers do not.
func cookieName(name, publicURL string) string {
	parsed, err := url.Parse(publicURL)
	if err != nil || parsed.Port() == "" {
		return name
	}
	return name + "_" + parsed.Port()
}

// ErrNoSession says that no session with this hash lives.
var ErrNoSession = errors.New("no such session")

// Session is one login of a member.
type Session struct {
	// Hash is the SHA-256 of the cookie's value; the value itself is stored nowhere.
	Hash      [sha256.Size]byte
	Principal Principal
	CreatedAt time.Time
	// IdleExpiresAt moves on with use; ExpiresAt never does. The earlier one ends the session.
	IdleExpiresAt, ExpiresAt time.Time
}

func (s Session) live(now time.Time) bool {
	return now.Before(s.IdleExpiresAt) && now.Before(s.ExpiresAt)
}

// Sessions is where sessions are kept.
type Sessions interface {
	Create(context.Context, Session) error
	// Find returns the session that lives at now, its principal with the role that the member has now, or
	// ErrNoSession, also when the member is gone.
	Find(ctx context.Context, hash [sha256.Size]byte, now time.Time) (Session, error)
	// Touch moves IdleExpiresAt. A session that is gone stays gone, without an error.
	Touch(ctx context.Context, hash [sha256.Size]byte, idleExpiresAt time.Time) error
	// Delete ends a session. It is no error if there is none.
	Delete(ctx context.Context, hash [sha256.Size]byte) error
}

func newSessionSecret() string { return base64.RawURLEncoding.EncodeToString(random32()) }

// sessionHash tells the hash of the request's session cookie, if there is a well-formed one.
func sessionHash(header http.Header, publicURL string) ([sha256.Size]byte, bool) {
	request := http.Request{Header: header}
	cookie, err := request.Cookie(SessionCookie(publicURL))
	if err != nil {
		return [sha256.Size]byte{}, false
	}
	secret, err := base64.RawURLEncoding.Strict().DecodeString(cookie.Value)
	if err != nil || len(secret) != 32 {
		return [sha256.Size]byte{}, false
	}
	return sha256.Sum256([]byte(cookie.Value)), true
}

func random32() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails, by its documentation
	return b
}
