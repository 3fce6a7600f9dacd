package authn

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	maxNameRunes = 200
	// maxEmailBytes is RFC 5321, section 4.5.3.1.3, without the angle brackets.
	maxEmailBytes = 254
)

// Person is somebody whom the OIDC provider vouches for.
type Person struct {
	// Issuer and Subject together are the person, for ever.
	Issuer, Subject string
	// Email may have been anybody's before; it identifies nobody unless EmailVerified. ASCII, at most 254 bytes, as the
	// provider wrote it; empty where there is none or none that could be an address.
	Email         string
	EmailVerified bool
	// Name has at most 200 characters.
	Name string
}

type personClaims struct {
	Email    string `json:"email"`
	Verified any    `json:"email_verified"` // some providers send text
	Name     string `json:"name"`
}

// person reads the claims, all of them from userinfo if the ID token has no address: whether an address is verified says
// only who names it.
func (l *Login) person(ctx context.Context, provider *relyingOn, verified *oidc.IDToken, tokens *oauth2.Token) (Person, error) {
	var claims personClaims
	if err := verified.Claims(&claims); err != nil {
		return Person{}, untrusted("read its claims: %w", err)
	}
	if claims.Email == "" && provider.UserInfoEndpoint() != "" {
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
		if err != nil {
			return Person{}, fmt.Errorf("ask userinfo: %w", err)
		}
		if info.Subject != verified.Subject {
			return Person{}, untrusted("userinfo is about somebody else")
		}
		claims = personClaims{}
		if err := info.Claims(&claims); err != nil {
			return Person{}, untrusted("read userinfo: %w", err)
		}
	}
	person := Person{Issuer: l.config.Issuer, Subject: verified.Subject, Name: shortened(claims.Name, maxNameRunes)}
	if isAddress(claims.Email) {
		person.Email = claims.Email
		person.EmailVerified = claims.Verified == true || claims.Verified == "true"
	}
	return person, nil
}

// isAddress takes ASCII only: beyond it, two addresses can be one in lower case.
func isAddress(text string) bool {
	name, domain, ok := strings.Cut(text, "@")
	return ok && name != "" && domain != "" && len(text) <= maxEmailBytes && !strings.Contains(domain, "@") &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// shortened makes a foreign text fit to be kept and shown.
func shortened(text string, runes int) string {
	kept := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text))
	return string(kept[:min(len(kept), runes)])
}
