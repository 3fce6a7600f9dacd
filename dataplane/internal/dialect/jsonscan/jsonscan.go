// Package jsonscan finds the top-level fields of a JSON object without decoding
// it: one pass that also validates, no allocation, a bounded depth. It is for
// bodies that pass through and of which policy needs a few fields.
package jsonscan

import (
	"errors"
	"fmt"
)

// MaxDepth of nested arrays and objects, as encoding/json has it.
const MaxDepth = 10_000

// ErrNotObject: the text is JSON, or may be, but no object.
var ErrNotObject = errors.New("it does not begin with {")

// SyntaxError says where a text stops being JSON. It quotes nothing of it.
type SyntaxError struct{ Offset int }

func (e *SyntaxError) Error() string { return fmt.Sprintf("invalid JSON at byte %d", e.Offset) }

// Field is one top-level field: parts of the text, raw.
type Field struct {
	// Name without its quotes, escapes as they were written.
	Name []byte
	// Value without white space around it.
	Value []byte
	// At is the offset of Value in the text.
	At int
}

// Fields appends the top-level fields of the object in text to dst, in their
// order, duplicates included. nested, if not nil, gets the raw name of every
// field below the top level. As with encoding/json's Valid, invalid UTF-8 inside
// of strings is accepted.
func Fields(dst []Field, text []byte, nested func(name []byte)) ([]Field, error) {
	s := scanner{text: text, nested: nested}
	s.space()
	if s.pos == len(text) || text[s.pos] != '{' {
		return dst, ErrNotObject
	}
	fields, ok := s.top(dst)
	if s.space(); !ok || s.pos != len(text) {
		return dst, &SyntaxError{Offset: s.pos}
	}
	return fields, nil
}

// scanner goes down by recursion; MaxDepth bounds its stack.
type scanner struct {
	text   []byte
	pos    int
	depth  int
	nested func([]byte)
}

func (s *scanner) top(fields []Field) ([]Field, bool) {
	s.depth = 1
	s.pos++
	if s.space(); s.take('}') {
		return fields, true
	}
	for {
		name, ok := s.name()
		if !ok {
			return fields, false
		}
		at := s.pos
		if !s.value() {
			return fields, false
		}
		fields = append(fields, Field{Name: name, Value: s.text[at:s.pos], At: at})
		if s.space(); s.take('}') {
			return fields, true
		}
		if !s.take(',') {
			return fields, false
		}
	}
}

// name goes over a field's name and colon, to its value.
func (s *scanner) name() ([]byte, bool) {
	s.space()
	start := s.pos + 1
	if !s.at('"') || !s.quoted() {
		return nil, false
	}
	name := s.text[start : s.pos-1]
	if s.space(); !s.take(':') {
		return nil, false
	}
	s.space()
	return name, true
}

func (s *scanner) value() bool {
	if s.pos == len(s.text) {
		return false
	}
	switch s.text[s.pos] {
	case '{', '[':
		if s.depth == MaxDepth {
			return false
		}
		s.depth++
		ok := s.members(s.text[s.pos] == '{')
		s.depth--
		return ok
	case '"':
		return s.quoted()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	return s.number()
}
