// Package header says which headers a policy may have sent to a provider. Both
// planes must agree: what the control plane accepts, no agent refuses. It does no
// I/O.
package header

import (
	"fmt"
	"net/textproto"
	"regexp"
	"strings"
)

const (
	// MaxCount of headers of one provider.
	MaxCount = 20
	maxValue = 1000
)

var (
	nameForm  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$") // a token of RFC 9110 §5.6.2
	valueForm = regexp.MustCompile(`^[\x20-\x7e\t]*$`)
)

// owned are the transport's, the dialect's, or carry the credential.
var owned = map[string]bool{
	"Accept-Encoding": true, "Api-Key": true, "Authorization": true, "Connection": true, "Content-Encoding": true,
	"Content-Length": true, "Content-Type": true, "Cookie": true, "Expect": true, "Forwarded": true, "Host": true,
	"Keep-Alive": true, "Proxy-Authorization": true, "Proxy-Connection": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true, "X-Api-Key": true, "X-Goog-Api-Key": true,
}

// Canonical is the one form of a name: X-Team.
func Canonical(name string) string { return textproto.CanonicalMIMEHeaderKey(name) }

// Refusal says why a policy may not have the header; empty: it may. It never
// quotes the value.
func Refusal(name, value string) string {
	switch {
	case !nameForm.MatchString(name):
		return "not a header's name"
	case owned[Canonical(name)]:
		return "the agent sets it itself; a credential belongs in credential_ref"
	case len(value) > maxValue || !valueForm.MatchString(value) || strings.TrimSpace(value) != value:
		return fmt.Sprintf("want at most %d printable ASCII characters without space around them", maxValue)
	}
	return ""
}
