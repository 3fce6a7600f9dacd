package authn

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
)

const sessionCookie = "weir_session"

// SessionCookie names the cookie of a logged-in console. Its value is 32 random bytes in base64url.
func SessionCookie(publicURL string) string { return cookieName(sessionCookie, publicURL) }

// ErrNoSession says that no session with this hash lives.
var ErrNoSession = errors.New("no such session")

// ErrSpent says that a login was used before.
var ErrSpent = errors.New("the login was used before")

// Session is one login of a member.
type Session struct {
	// ID is what people call it by; it opens nothing.
	ID uuid.UUID
	// Hash is the SHA-256 of the cookie's value; the value itself is stored nowhere.
	Hash      [sha256.Size]byte
	Principal Principal
	CreatedAt time.Time
	// LastSeenAt lags behind use by a minute at most.
	LastSeenAt time.Time
	// Address and UserAgent are what the browser came with at login; at most 45 and 200 characters.
	Address, UserAgent string
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
	// Touch moves LastSeenAt and IdleExpiresAt. A session that is gone stays gone, without an error.
	Touch(ctx context.Context, hash [sha256.Size]byte, seenAt, idleExpiresAt time.Time) error
	// Delete ends a session. It is no error if there is none.
	Delete(ctx context.Context, hash [sha256.Size]byte) error
	// Spend remembers until it expires that a login was used; ErrSpent where it was used before, by any process.
	Spend(ctx context.Context, login [sha256.Size]byte, expiresAt time.Time) error
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
