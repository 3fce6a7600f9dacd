package requestid_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/requestid"
)

func TestHandler(t *testing.T) {
	cases := []struct {
		name, sent string
		kept       bool
	}{
		{"uuid", "0193f1de-5b1a-7000-8000-0123456789ab", true},
		{"load_balancer", "Root=1-67891233-abcdef012345678912345678", true},
		{"longest", strings.Repeat("a", 128), true},
		{"none", "", false},
		{"too_long", strings.Repeat("a", 129), false},
		{"space", "a b", false},
		{"control", "a\x1b[2J", false},
		{"not_ascii", "é", false},
		{"quote", `a"b`, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var inside string
			handler := requestid.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				inside = requestid.From(r.Context())
			}))
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			request.Header[requestid.Header] = []string{c.sent}
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			if got := answer.Header().Get(requestid.Header); got != inside || (got == c.sent) != c.kept || got == "" {
				t.Errorf("sent %q, answered %q, inside %q", c.sent, got, inside)
			}
		})
	}
}
