package dialect_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/weirhq/weir/dataplane/internal/dialect"
)

func TestSwell(t *testing.T) {
	for text, want := range map[string]int64{
		"plain \\n \\\" \\u0041": 0, "日本語 한국어 é 😀 e\u0301": 0, // as long, or shorter
		"\ufdfa": 30, `\ufdfa`: 27, "½": 3, `\u00bd`: 0, "\u0958": 3, // NFC, too
		"\xff": 2, "\xe6\x97": 4, `\ud800`: 0, `\ud83d\ude00`: 0, `\\ufdfa`: 0, `\`: 0, `\u12`: 0,
	} {
		if got := dialect.Swell([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestSwellBoundsEveryCharacter: alone, and behind others that it may compose with.
func TestSwellBoundsEveryCharacter(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		for _, text := range []string{string(r), "a" + string(r), "\u1100" + string(r), strings.Repeat(string(r), 3)} {
			most := int64(len(text)) + dialect.Swell([]byte(text))
			for _, form := range []norm.Form{norm.NFC, norm.NFKC} {
				if n := int64(len(form.String(text))); n > most && r != '\\' {
					t.Fatalf("%U: %d bytes of %q, at most %d", r, n, text, most)
				}
			}
		}
	}
}

func BenchmarkSwell(b *testing.B) {
	for name, text := range map[string]string{"ascii": "how much water passed ", "cjk": "水がどれだけ流れたか", "latin": "combien d’eau a coulé là-bas "} {
		b.Run(name, func(b *testing.B) {
			body := []byte(strings.Repeat(text, 100<<10/len(text)))
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				dialect.Swell(body)
			}
		})
	}
}
