package jsonscan

import "bytes"

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

// quoted goes over a string, from quote to quote.
func (s *scanner) quoted() bool {
	text, i := s.text, s.pos+1
	for {
		for i < len(text) && !special[text[i]] {
			i++
		}
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
