package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Binding is what a credential is sealed for. For anything else it does not open.
type Binding struct {
	// Ids as the API writes them: lower case.
	OrganizationID, GatewayID, ProviderID string
	// Origin of the provider's base URL, as Origin gives it.
	Origin string
	// Version is counted by who seals, from 1; a newer credential has a higher one.
	Version int64
}

func (b Binding) check() error {
	for name, text := range map[string]string{
		"organization": b.OrganizationID, "gateway": b.GatewayID, "provider": b.ProviderID, "origin": b.Origin,
	} {
		if text == "" {
			return fmt.Errorf("seal: no %s", name)
		}
	}
	if b.Version < 1 {
		return fmt.Errorf("seal: version %d; want 1 or more", b.Version)
	}
	return nil
}

// encode is the additional data: a domain, then each text after its length as a
// big-endian uint32, then the version as a big-endian int64.
func (b Binding) encode() []byte {
	out := []byte("weir sealed credential binding v1\x00")
	for _, text := range []string{b.OrganizationID, b.GatewayID, b.ProviderID, b.Origin} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(text)))
		out = append(out, text...)
	}
	return binary.BigEndian.AppendUint64(out, uint64(b.Version))
}

// Origin of a base URL: scheme://host[:port], lower case, the scheme's own port
// left out.
func Origin(u *url.URL) (string, error) {
	scheme := strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" {
		return "", errors.New("the scheme is not http or https")
	}
	if u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" {
		return "", errors.New("not scheme://host:port")
	}
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[scheme])
	return scheme + "://" + strings.TrimSuffix(host, ":"), nil
}
