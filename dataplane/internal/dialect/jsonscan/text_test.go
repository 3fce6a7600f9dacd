package jsonscan_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// FuzzText: what is decoded here is what encoding/json decodes.
func FuzzText(f *testing.F) {
	for _, text := range []string{``, `a`, `\"\\\/\b\f\n\r\t`, `\u00e9 \ud83d\ude00 \ud83d`, "a\xffb", "\\n\xff", `\\u0041`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, inside string) {
		value := []byte(`"` + inside + `"`)
		var want string
		if json.Unmarshal(value, &want) != nil {
			t.Skip("no JSON string")
		}
		if got := jsonscan.Text(value); got != want {
			t.Errorf("Text(%q) = %q, not %q", value, got, want)
		}
		if !strings.Contains(inside, `\`) {
			want = inside // even where it is not UTF-8
		}
		if got := string(jsonscan.Plain([]byte(inside))); got != want {
			t.Errorf("Plain(%q) = %q, not %q", inside, got, want)
		}
	})
}

func TestTextOfWhatIsNone(t *testing.T) {
	for _, value := range []string{"", "1", "null", "{}", `["a"]`} {
		if got := jsonscan.Text([]byte(value)); got != "" {
			t.Errorf("%s: %q", value, got)
		}
	}
}

func TestCount(t *testing.T) {
	for value, want := range map[string]int64{"0": 0, "null": 0, "7": 7, "1099511627776": 1 << 40} {
		if n, ok := jsonscan.Count([]byte(value)); n != want || !ok {
			t.Errorf("%s: %d, %t", value, n, ok)
		}
	}
	for _, value := range []string{"", "-1", "1.5", "1e3", `"7"`, "{}", "1099511627777", "99999999999999999999"} {
		if n, ok := jsonscan.Count([]byte(value)); n != 0 || ok {
			t.Errorf("%s: %d, %t", value, n, ok)
		}
	}
}
