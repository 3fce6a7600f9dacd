package eventlog_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
)

func TestSource(t *testing.T) {
	for name, c := range map[string]struct{ given, want string }{
		"as_it_is":                {"curl/8.5 (x86_64)", "curl/8.5 (x86_64)"},
		"lines_and_zero_bytes_go": {"a\nb\x00c\x1b[31m", "abc[31m"},
		"what_is_not_utf8_goes":   {"a\xffb", "ab"},
		"letters_stay_whole":      {strings.Repeat("é", 300), strings.Repeat("é", 100)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (eventlog.Source{UserAgent: c.given}).Bounded().UserAgent; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzSource(f *testing.F) {
	f.Add("curl/8", "::1")
	f.Fuzz(func(t *testing.T, agent, address string) {
		got := eventlog.Source{Address: address, UserAgent: agent}.Bounded()
		if len(got.UserAgent) > 200 || len(got.Address) > 64 || !utf8.ValidString(got.UserAgent+got.Address) ||
			strings.ContainsRune(got.UserAgent+got.Address, 0) {
			t.Errorf("%q, %q become %+v", agent, address, got)
		}
		if again := got.Bounded(); again != got {
			t.Errorf("bounded twice: %+v, then %+v", got, again)
		}
	})
}
