package jsonscan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// members goes over an object or array below the top level.
func (s *scanner) members(object bool) bool {
	end := byte(']')
	if object {
		end = '}'
	}
	s.pos++
	if s.space(); s.take(end) {
		return true
	}
	for {
		if object {
			name, ok := s.name()
			if !ok {
				return false
			}
			if s.nested != nil {
				s.nested(name)
			}
		}
		s.space()
		if !s.value() {
			return false
		}
		if s.space(); s.take(end) {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

func (s *scanner) at(c byte) bool { return s.pos < len(s.text) && s.text[s.pos] == c }

func (s *scanner) take(c byte) bool {
	if !s.at(c) {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) literal(word string) bool {
	if !bytes.HasPrefix(s.text[s.pos:], []byte(word)) {
		return false
	}
	s.pos += len(word)
	return true
}

// special marks the bytes that a string can't just hold.
var special = func() (table [256]bool) {
	for c := range ' ' {
		table[c] = true
	}
	table['"'], table['\\'] = true, true
	return table
}()

// Eight bytes with their lowest, or highest, bit set.
const (
	low  = 0x0101010101010101
	high = 0x8080808080808080
)

// ordinary is how many bytes text begins with that a string can just hold. It looks at
// eight at once: the lowest byte that is marked below is truly special, those above it may
// be marked by its borrow.
func ordinary(text []byte) int {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		word := binary.LittleEndian.Uint64(text[i:])
		quote, slash := word^low*'"', word^low*'\\'
		marks := ((word-low*' ')&^word | (quote-low)&^quote | (slash-low)&^slash) & high
		if marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	for i < len(text) && !special[text[i]] {
		i++
	}
	return i
}

// quoted goes over a string, from quote to quote.
func (s *scanner) quoted() bool {
	text, i := s.text, s.pos+1
	for {
		i += ordinary(text[i:])
		s.pos = i
		if i == len(text) {
			return false
		}
		switch text[i] {
		case '"':
			s.pos++
			return true
		case '\\':
			n := escape(text[i:])
			if n == 0 {
				return false
			}
			i += n
		default:
			return false
		}
	}
}

// escape is the length of the escape that text begins with; 0: it is none.
func escape(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(text) >= 6 && hex(text[2]) && hex(text[3]) && hex(text[4]) && hex(text[5]) {
			return 6
		}
	}
	return 0
}

func hex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// number goes over a number as RFC 8259 section 6 writes it.
func (s *scanner) number() bool {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return false
	}
	if s.take('.') && !s.digits() {
		return false
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}
