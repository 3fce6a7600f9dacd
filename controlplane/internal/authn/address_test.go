package authn_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/authn"
)

func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, test := range map[string]struct {
		connection string
		forwarded  []string
		want       string
	}{
		"direct":                {"192.0.2.7:1234", nil, "192.0.2.7"},
		"direct_and_lying":      {"192.0.2.7:1234", []string{"198.51.100.1"}, "192.0.2.7"},
		"through_a_proxy":       {"10.0.0.1:1234", []string{"192.0.2.7"}, "192.0.2.7"},
		"through_two":           {"10.0.0.1:1234", []string{"192.0.2.7, 10.0.0.2"}, "192.0.2.7"},
		"through_two_headers":   {"10.0.0.1:1234", []string{"192.0.2.7", "10.0.0.2"}, "192.0.2.7"},
		"lying_through_a_proxy": {"10.0.0.1:1234", []string{"198.51.100.1, 192.0.2.7"}, "192.0.2.7"},
		"lying_as_if_a_proxy":   {"10.0.0.1:1234", []string{"198.51.100.1, 10.0.0.9, 192.0.2.7"}, "192.0.2.7"},
		"garbage_from_a_proxy":  {"10.0.0.1:1234", []string{"<script>"}, "10.0.0.1"},
		"nothing_from_a_proxy":  {"10.0.0.1:1234", nil, "10.0.0.1"},
		"v6":                    {"[2001:db8::7%eth0]:1234", nil, "2001:db8::7"},
		"v4_in_v6":              {"[::ffff:10.0.0.1]:1234", []string{"::ffff:192.0.2.7"}, "192.0.2.7"},
		"no_address":            {"@", []string{"192.0.2.7"}, ""},
		"v6_proxy":              {"[fd00::1]:1234", []string{"192.0.2.7"}, "192.0.2.7"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := authn.ClientAddress(test.connection, http.Header{"X-Forwarded-For": test.forwarded}, trusted); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// What a browser says of itself is bounded and has no control characters.
func TestSessionSaysWhereItCameFrom(t *testing.T) {
	s, _ := startLying(t, 0)
	callback := s.location(s.get(s.location(s.get(s.console + authn.LoginPath))))
	s.send(http.MethodGet, callback, nil, http.Header{"User-Agent": {"Lynx\t" + strings.Repeat("é", 5000)}})
	for _, session := range s.sessions.known {
		if session.Address != "127.0.0.1" || session.UserAgent != "Lynx"+strings.Repeat("é", 196) {
			t.Errorf("address %q, user agent %q", session.Address, session.UserAgent)
		}
		if session.CreatedAt.IsZero() || !session.LastSeenAt.Equal(session.CreatedAt) ||
			session.IdleExpiresAt.Sub(session.CreatedAt) != authn.DefaultSessionIdle ||
			session.ExpiresAt.Sub(session.CreatedAt) != authn.DefaultSessionLifetime {
			t.Errorf("times %+v", session)
		}
	}
	if s.sessions.count() != 1 {
		t.Errorf("%d sessions", s.sessions.count())
	}
}
