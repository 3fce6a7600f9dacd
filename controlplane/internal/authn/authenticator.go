package authn

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/token"
)

// Reasons of the faults that Authenticate returns.
const (
	ReasonNoCredentials  = "no_credentials"
	ReasonMalformedToken = "token_malformed"
	ReasonUnknownToken   = "token_unknown"
	ReasonSessionOver    = "session_over"
	ReasonCrossOrigin    = "cross_origin"
)

// ErrUnknownToken says that no service account has a live token with this hash.
var ErrUnknownToken = errors.New("no such token")

// Tokens is where the hashes of service-account tokens are kept.
type Tokens interface {
	// FindToken returns the service account of a token that is neither revoked nor expired, or ErrUnknownToken.
	FindToken(ctx context.Context, hash [sha256.Size]byte) (Principal, error)
}

// touchEvery is how far the idle expiry lags behind use at most: one write a minute and session.
const touchEvery = time.Minute

// AuthenticatorConfig is what an Authenticator needs.
type AuthenticatorConfig struct {
	Tokens   Tokens
	Sessions Sessions
	// OperatorTokens are the token.Hash of every token that the operator may use. None: there is no operator.
	OperatorTokens [][sha256.Size]byte
	// PublicURL is where browsers find the console; cookies count only in requests of its pages.
	PublicURL string
	// SessionIdle ends a session that was not used for so long. Zero means DefaultSessionIdle.
	SessionIdle time.Duration
	Logger      *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Authenticator finds the principal behind a request.
type Authenticator struct{ AuthenticatorConfig }

// NewAuthenticator makes an authenticator.
func NewAuthenticator(config AuthenticatorConfig) *Authenticator {
	if config.SessionIdle == 0 {
		config.SessionIdle = DefaultSessionIdle
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Authenticator{config}
}

// Authenticate tells who sent a request with these headers. An Authorization header decides alone, whatever cookies
// come with it. Bad credentials are an Unauthenticated fault, a cookie from another site's page a Denied one, with one
// of the reasons above; any other error means that nobody could tell.
func (a *Authenticator) Authenticate(ctx context.Context, header http.Header) (Principal, error) {
	return a.authenticate(ctx, header, true)
}

// Recheck is Authenticate for a call that goes on: it does not keep a session from
// idling out.
func (a *Authenticator) Recheck(ctx context.Context, header http.Header) (Principal, error) {
	return a.authenticate(ctx, header, false)
}

func (a *Authenticator) authenticate(ctx context.Context, header http.Header, prolong bool) (Principal, error) {
	if authorization := header.Get("Authorization"); authorization != "" {
		return a.bearer(ctx, authorization)
	}
	hash, ok := sessionHash(header, a.PublicURL)
	if !ok {
		return Principal{}, fault.Because(fault.Unauthenticated, ReasonNoCredentials,
			"log in, or send a service-account token as Authorization: Bearer %s…", token.ServiceAccount)
	}
	if err := SameOrigin(header, a.PublicURL); err != nil {
		return Principal{}, err
	}
	return a.session(ctx, hash, prolong)
}

func (a *Authenticator) bearer(ctx context.Context, authorization string) (Principal, error) {
	scheme, text, _ := strings.Cut(authorization, " ")
	text = strings.TrimSpace(text)
	if !strings.EqualFold(scheme, "Bearer") || text == "" {
		return Principal{}, fault.Because(fault.Unauthenticated, ReasonMalformedToken,
			"the Authorization header must be: Bearer, a space, a token")
	}
	hash := token.Hash(text)
	if a.operator(hash) {
		return Principal{Kind: Operator, Display: "operator"}, nil
	}
	if !token.Valid(text, token.ServiceAccount) {
		return Principal{}, fault.Because(fault.Unauthenticated, ReasonMalformedToken,
			"this is not a service-account token: they start with %s and end with a checksum, which does not match", token.ServiceAccount)
	}
	principal, err := a.Tokens.FindToken(ctx, hash)
	if errors.Is(err, ErrUnknownToken) {
		return Principal{}, fault.Because(fault.Unauthenticated, ReasonUnknownToken, "the token is unknown, revoked or expired")
	}
	if err != nil {
		return Principal{}, fmt.Errorf("find a service account's token: %w", err)
	}
	return principal, nil
}

func (a *Authenticator) operator(hash [sha256.Size]byte) bool {
	match := 0
	for _, known := range a.OperatorTokens {
		match |= subtle.ConstantTimeCompare(known[:], hash[:])
	}
	return match == 1
}

func (a *Authenticator) session(ctx context.Context, hash [sha256.Size]byte, prolong bool) (Principal, error) {
	now := a.Now()
	session, err := a.Sessions.Find(ctx, hash, now)
	if errors.Is(err, ErrNoSession) || (err == nil && !session.live(now)) {
		return Principal{}, fault.Because(fault.Unauthenticated, ReasonSessionOver, "the session is over; log in again")
	}
	if err != nil {
		return Principal{}, fmt.Errorf("find a session: %w", err)
	}
	if next := now.Add(a.SessionIdle); prolong && next.Sub(session.IdleExpiresAt) >= touchEvery {
		if err := a.Sessions.Touch(ctx, hash, now, next); err != nil {
			a.Logger.WarnContext(ctx, "session not prolonged", "actor", session.Principal.Actor(), "error", err)
		}
	}
	principal := session.Principal
	principal.SessionID = session.ID
	return principal, nil
}
