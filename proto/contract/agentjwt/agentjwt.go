// Package agentjwt makes and checks the short-lived tokens with which an agent
// signs its calls. It is pure: callers pass the time and hold the keys.
package agentjwt

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	// MaxLifetime between issue and expiry.
	MaxLifetime = 60 * time.Second
	// Skew by which both clocks may differ.
	Skew = 10 * time.Second
	// maxLength bounds what is parsed, in bytes.
	maxLength = 4 << 10
)

// Why a token is refused; Reason gives each a stable name.
var (
	ErrMalformed = errors.New("not a token that agents make")
	ErrSignature = errors.New("the signature is not by the agent's key")
	ErrExpired   = errors.New("the token expired; check the agent's clock")
	ErrNotYet    = errors.New("the token is from the future; check the agent's clock")
	ErrLifetime  = errors.New("the token lives longer than 60 s")
	ErrAudience  = errors.New("the token is for another control plane")
	ErrRPC       = errors.New("the token is for another call")
	ErrBody      = errors.New("the token is for another body")
)

var reasons = map[error]string{
	ErrMalformed: "token_malformed",
	ErrSignature: "token_signature",
	ErrExpired:   "token_expired",
	ErrNotYet:    "token_not_yet_valid",
	ErrLifetime:  "token_lifetime",
	ErrAudience:  "token_audience",
	ErrRPC:       "token_rpc",
	ErrBody:      "token_body",
}

// Reason is the stable, snake_case name of an error of this package.
func Reason(err error) string {
	for sentinel, reason := range reasons {
		if errors.Is(err, sentinel) {
			return reason
		}
	}
	return "token_invalid"
}

// Claims of one call.
type Claims struct {
	// Agent is the caller's id.
	Agent string
	// Audience is the control plane's URL without a slash at the end.
	Audience string
	// RPC is the procedure, /package.Service/Method.
	RPC string
	// BodyHash is HashBody of the HTTP body; empty for streams.
	BodyHash string
	IssuedAt time.Time
	Expiry   time.Time
}

type wire struct {
	jwt.Claims
	RPC      string `json:"rpc"`
	BodyHash string `json:"bh,omitempty"`
}

// HashBody is the claim `bh`: base64url SHA-256, without padding.
func HashBody(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Sign makes the compact form of a token.
func Sign(key ed25519.PrivateKey, c Claims) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("make token signer: %w", err)
	}
	text, err := jwt.Signed(signer).Claims(wire{
		Claims: jwt.Claims{
			Issuer:   c.Agent,
			Audience: jwt.Audience{c.Audience},
			IssuedAt: jwt.NewNumericDate(c.IssuedAt),
			Expiry:   jwt.NewNumericDate(c.Expiry),
		},
		RPC:      c.RPC,
		BodyHash: c.BodyHash,
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text, nil
}

// Token is parsed, not yet believed.
type Token struct {
	parsed   *jwt.JSONWebToken
	agent    string
	bodyHash string
}

// Parse accepts the EdDSA algorithm only.
func Parse(text string) (Token, error) {
	if len(text) > maxLength {
		return Token{}, ErrMalformed
	}
	parsed, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return Token{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	var claimed wire
	if err := parsed.UnsafeClaimsWithoutVerification(&claimed); err != nil {
		return Token{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return Token{parsed: parsed, agent: claimed.Issuer, bodyHash: claimed.BodyHash}, nil
}

// Agent is who the token says it is from, to find the key for Verify.
func (t Token) Agent() string { return t.agent }

// BodyHash is what the token says of the body. Who verifies the token with it, before there
// is a body, compares it with that of the body when it came.
func (t Token) BodyHash() string { return t.bodyHash }

// Expect is what a call's token must say.
type Expect struct {
	// Audiences under which this control plane is known.
	Audiences []string
	RPC       string
	// BodyHash is HashBody of what came; empty where the body is a stream.
	BodyHash string
	Now      time.Time
}

// Verify checks the signature and every claim.
func (t Token) Verify(key ed25519.PublicKey, want Expect) error {
	var got wire
	if err := t.parsed.Claims(key, &got); err != nil {
		return ErrSignature
	}
	if got.IssuedAt == nil || got.Expiry == nil {
		return ErrMalformed
	}
	issued, expiry := got.IssuedAt.Time(), got.Expiry.Time()
	switch {
	case expiry.Sub(issued) > MaxLifetime:
		return ErrLifetime
	case want.Now.After(expiry.Add(Skew)):
		return ErrExpired
	case want.Now.Before(issued.Add(-Skew)):
		return ErrNotYet
	case !containsAny(got.Audience, want.Audiences):
		return ErrAudience
	case got.RPC != want.RPC:
		return ErrRPC
	case subtle.ConstantTimeCompare([]byte(got.BodyHash), []byte(want.BodyHash)) != 1:
		return ErrBody
	}
	return nil
}

func containsAny(audience jwt.Audience, known []string) bool {
	for _, a := range known {
		if audience.Contains(a) {
			return true
		}
	}
	return false
}
