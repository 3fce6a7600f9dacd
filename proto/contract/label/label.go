// Package label says which values of a request's labels usage may hold: the control plane
// takes the rules by which agents go. It knows no store and no request.
package label

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
)

// Bounds of rules.
const (
	// DefaultBytes of a value, where a rule says nothing.
	DefaultBytes    = 64
	MaxPatternBytes = 200
	// maxSteps of a compiled pattern: matching 256 bytes then takes a few milliseconds at
	// most. 200 bytes could come to 28,000 otherwise.
	maxSteps = 1000
)

// What can be wrong with a pattern; test with errors.Is.
var (
	ErrLongPattern  = fmt.Errorf("the pattern has more than %d bytes", MaxPatternBytes)
	ErrLargePattern = errors.New("the pattern repeats too much: let the longest value's bytes bound it instead")
)

// Rule lets values of one label into usage.
type Rule struct {
	bytes   int
	pattern *regexp.Regexp // nil: plain
}

// New returns the rule for values of so many bytes, 0: 64, that match the pattern as a whole;
// empty: letters, digits and . _ : / + @ - only.
func New(bytes int32, pattern string) (Rule, error) {
	rule := Rule{bytes: int(bytes)}
	if bytes == 0 {
		rule.bytes = DefaultBytes
	}
	if pattern == "" {
		return rule, nil
	}
	if len(pattern) > MaxPatternBytes {
		return rule, ErrLongPattern
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return rule, fmt.Errorf("the pattern is no RE2: %w", err)
	}
	if steps(parsed) > maxSteps {
		return rule, ErrLargePattern
	}
	rule.pattern, err = regexp.Compile(`\A(?:` + pattern + `)\z`)
	return rule, err
}

// steps is about how many instructions an expression becomes.
func steps(of *syntax.Regexp) int {
	sum := 1
	if of.Op == syntax.OpLiteral {
		sum = len(of.Rune)
	}
	for _, sub := range of.Sub {
		sum = min(sum+steps(sub), maxSteps+1)
	}
	if of.Op == syntax.OpRepeat {
		sum *= max(of.Min, of.Max, 1)
	}
	return min(sum, maxSteps+1)
}

// Fits tells whether a value is not too long.
func (r Rule) Fits(value string) bool { return len(value) <= r.bytes }

// Matches tells whether a value is of the rule's form.
func (r Rule) Matches(value string) bool {
	if r.pattern != nil {
		return r.pattern.MatchString(value)
	}
	return Plain(value)
}

// Plain tells whether a text has letters, digits and . _ : / + @ - only, all of ASCII.
func Plain(text string) bool {
	for i := range len(text) {
		if !plain[text[i]] {
			return false
		}
	}
	return true
}

var plain = func() (is [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/+@-") {
		is[c] = true
	}
	return is
}()
