package eventlog

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxAddress   = 64 // an IPv6 address with a zone and a port
	maxUserAgent = 200
)

// Source is where a command came from, as far as it is known.
type Source struct {
	// Address of the client: an IP address, or empty.
	Address string
	// UserAgent is what the client calls itself; it may say anything.
	UserAgent string
}

// Bounded is the source as it is stored: short, printable, valid UTF-8.
func (s Source) Bounded() Source {
	return Source{Address: printable(s.Address, maxAddress), UserAgent: printable(s.UserAgent, maxUserAgent)}
}

// printable is text without control characters, in at most limit bytes.
func printable(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text[:min(len(text), 4*limit)])
	if len(text) <= limit {
		return text
	}
	for !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
