package label_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/proto/contract/label"
)

func TestRules(t *testing.T) {
	cases := []struct {
		name           string
		bytes          int32
		pattern, value string
		fits, matches  bool
	}{
		{"plain", 0, "", "Team-4/search_v1.2:eu+x@y", true, true},
		{"nothing", 0, "", "", true, true},
		{"a_sentence", 0, "", "my secret", true, false},
		{"a_quote", 0, "", `"x"`, true, false},
		{"beyond_ascii", 0, "", "Zürich", true, false},
		{"the_longest", 0, "", strings.Repeat("x", 64), true, true},
		{"longer", 0, "", strings.Repeat("x", 65), false, true},
		{"as_long_as_said", 3, "", "abc", true, true},
		{"longer_than_said", 3, "", "abcd", false, true},
		{"one_of", 0, "a|ab", "ab", true, true},
		{"not_one_of", 0, "a|ab", "abc", true, false},
		{"a_part_only", 0, "[a-z]+", "x\ny", true, false},
		{"a_last_line", 0, "(?m)^a$", "a\nb", true, false},
		{"by_classes", 0, `\pL{2,40}`, "Zürich", true, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rule, err := label.New(c.bytes, c.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if rule.Fits(c.value) != c.fits || rule.Matches(c.value) != c.matches {
				t.Errorf("fits %t, matches %t", rule.Fits(c.value), rule.Matches(c.value))
			}
		})
	}
}

func TestPatternsThatAreNone(t *testing.T) {
	for pattern, want := range map[string]error{
		"(":                             nil,
		"a)(b":                          nil,
		`\1`:                            nil,
		"(?=a)":                         nil,
		"[a-z]{1001}":                   nil, // RE2 has no more than 1000
		"((((a{9}){9}){9}){9}){9}":      nil,
		strings.Repeat("a", 201):        label.ErrLongPattern,
		"(abc){400}":                    label.ErrLargePattern,
		strings.Repeat("(a{0,999})", 9): label.ErrLargePattern,
		`(\pL{500}|\pN){1,2}`:           label.ErrLargePattern,
	} {
		if _, err := label.New(0, pattern); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%.40q: got %v, want %v", pattern, err, want)
		}
	}
}

// The slowest pattern that is taken, on a value that it nearly matches.
func TestMatchingIsBounded(t *testing.T) {
	rule, err := label.New(256, "(a?){150}(a|aa|aaa)*b")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if rule.Matches(strings.Repeat("a", 256)) {
		t.Error("it matches")
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	}
}
