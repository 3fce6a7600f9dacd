package filter

import (
	"strings"
	"unicode/utf8"
)

// tokenKind is what sort of thing stands in a filter.
type tokenKind int

const (
	end tokenKind = iota
	word
	quoted
	operator
	parenthesis
)

type token struct {
	kind tokenKind
	// text is a word or operator as it was written, a quoted string without quotes and
	// escapes.
	text string
	// prefix: the value ended with a *, which text is without.
	prefix bool
	// column of its first character.
	column int
	// glued: no space stands before it.
	glued bool
}

// keyword tells whether the token is AND, OR or NOT.
func (t token) keyword(which ...string) bool {
	for _, w := range which {
		if t.kind == word && t.text == w && !t.prefix {
			return true
		}
	}
	return false
}

// String is what a message calls the token.
func (t token) String() string {
	switch t.kind {
	case end:
		return "the end"
	case quoted:
		return `a quoted string`
	default:
		return t.text
	}
}

// lexer takes tokens off a text.
type lexer struct {
	left   string
	column int
}

func (l *lexer) skip(bytes int) {
	l.column += utf8.RuneCountInString(l.left[:bytes])
	l.left = l.left[bytes:]
}

func (l *lexer) next() (token, error) {
	spaces := len(l.left) - len(strings.TrimLeft(l.left, " \t\r\n"))
	l.skip(spaces)
	t := token{column: l.column, glued: spaces == 0}
	switch {
	case l.left == "":
		return t, nil
	case strings.ContainsRune(`"'`, rune(l.left[0])):
		t.kind = quoted
		return t, l.quoted(&t)
	case l.left[0] == '(' || l.left[0] == ')':
		t.kind, t.text = parenthesis, l.left[:1]
	default:
		if t.text = operatorOf(l.left); t.text != "" {
			t.kind = operator
			break
		}
		return t, l.word(&t)
	}
	l.skip(len(t.text))
	return t, nil
}

func operatorOf(text string) string {
	for _, o := range []string{"!=", "<=", ">=", "=", "<", ">", ":"} {
		if strings.HasPrefix(text, o) {
			return o
		}
	}
	return ""
}

// word takes everything up to a space, a quote, a parenthesis or an operator.
func (l *lexer) word(t *token) error {
	t.kind = word
	length := strings.IndexAny(l.left, " \t\r\n\"'()=!<>:,\\")
	if length < 0 {
		length = len(l.left)
	}
	t.text = l.left[:length]
	if length == 0 {
		return wrong(l.column, "%q can't stand here; quote it where it belongs to a value", l.left[:1])
	}
	if at := strings.IndexFunc(t.text, control); at >= 0 {
		return wrong(l.column+utf8.RuneCountInString(t.text[:at]), "a control character can't be looked for")
	}
	t.text, t.prefix = strings.CutSuffix(t.text, "*")
	if before, _, star := strings.Cut(t.text, "*"); star {
		return wrong(l.column+utf8.RuneCountInString(before), `a * stands at the end, for "begins with"; one that is meant is \* in quotes`)
	}
	l.skip(length)
	return nil
}

// quoted takes a string in either quotes. \ goes before a quote, \ or * that is meant.
func (l *lexer) quoted(t *token) error {
	quote := rune(l.left[0])
	l.skip(1)
	var text strings.Builder
	for l.left != "" {
		r, size := utf8.DecodeRuneInString(l.left)
		at := l.column
		l.skip(size)
		switch {
		case r == quote:
			t.text = text.String()
			return nil
		case control(r):
			return wrong(at, "a control character can't be looked for")
		case t.prefix:
			return wrong(at-1, `a * stands at the end, for "begins with"; one that is meant is \*`)
		case r == '*':
			t.prefix = true
		case r == '\\':
			escaped, size := utf8.DecodeRuneInString(l.left)
			if size == 0 || !strings.ContainsRune(`"'\*`, escaped) {
				return wrong(at, `\ goes before ", ', \ or *; one that is meant is \\`)
			}
			l.skip(size)
			text.WriteRune(escaped)
		default:
			text.WriteRune(r)
		}
	}
	return wrong(t.column, "the quote is not closed")
}

// control are characters that nothing has which a list shows.
func control(r rune) bool { return r < ' ' || r == 0x7f }
