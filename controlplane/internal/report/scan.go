package report

import "strings"

// kind of a token, as much as the guard must know.
type kind int

const (
	word    kind = iota // bare or quoted identifier, keyword
	text                // string literal, heredoc
	mark                // any other byte
	broken              // a literal or comment without end
	foreign             // a byte that ClickHouse may take for a space or a quote, and we do not
)

type token struct {
	kind   kind
	value  string
	quoted bool // an identifier in quotes is no keyword
	// escaped: an identifier that we may read otherwise than ClickHouse.
	escaped bool
}

// tokens cuts ClickHouse SQL into what matters to the guard; comments are gone.
func tokens(sql string) []token {
	var out []token
	for rest := sql; rest != ""; {
		t, n := next(rest)
		if n > 0 && t.value != "" || t.kind != mark {
			out = append(out, t)
		}
		rest = rest[n:]
	}
	return out
}

// next returns the first token, without a value for spaces and comments.
func next(s string) (token, int) {
	c := s[0]
	switch {
	case strings.ContainsRune(" \t\r\n\f\v", rune(c)):
		return token{kind: mark}, 1
	case strings.HasPrefix(s, "--"), strings.HasPrefix(s, "#!"), strings.HasPrefix(s, "# "):
		return token{kind: mark}, lineEnd(s)
	case strings.HasPrefix(s, "/*"):
		return comment(s)
	case c == '\'':
		return quoted(s, text)
	case c == '"', c == '`':
		return quoted(s, word)
	case c == '$':
		if t, n, ok := heredoc(s); ok {
			return t, n
		}
		return bare(s)
	case isWord(c):
		return bare(s)
	case c >= 0x80 || c < ' ' || c == 0x7f:
		return token{kind: foreign}, 1
	}
	return token{kind: mark, value: string(c)}, 1
}

func lineEnd(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i + 1
	}
	return len(s)
}

// comment may hold comments.
func comment(s string) (token, int) {
	for i, depth := 2, 1; i+1 < len(s); {
		switch s[i : i+2] {
		case "/*":
			depth, i = depth+1, i+2
		case "*/":
			if depth, i = depth-1, i+2; depth == 0 {
				return token{kind: mark}, i
			}
		default:
			i++
		}
	}
	return token{kind: broken}, len(s)
}

// quoted ends at the same quote, unless that is doubled or behind a backslash.
func quoted(s string, k kind) (token, int) {
	var value strings.Builder
	escaped := false
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			escaped = k == word
			value.WriteByte(s[i])
		case s[i] == s[0] && i+1 < len(s) && s[i+1] == s[0]:
			i++
			value.WriteByte(s[i])
		case s[i] == s[0]:
			return token{kind: k, value: value.String(), quoted: true, escaped: escaped}, i + 1
		default:
			value.WriteByte(s[i])
		}
	}
	return token{kind: broken}, len(s)
}

// heredoc is $tag$ text $tag$.
func heredoc(s string) (token, int, bool) {
	end := 1
	for end < len(s) && isWord(s[end]) && s[end] != '$' {
		end++
	}
	if end == len(s) || s[end] != '$' {
		return token{}, 0, false
	}
	tag := s[:end+1]
	body, _, found := strings.Cut(s[len(tag):], tag)
	if !found {
		return token{kind: broken}, len(s), true
	}
	return token{kind: text, value: body}, 2*len(tag) + len(body), true
}

func bare(s string) (token, int) {
	n := 1
	for n < len(s) && isWord(s[n]) {
		n++
	}
	return token{kind: word, value: s[:n]}, n
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
