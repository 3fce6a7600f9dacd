package gemini

import (
	"encoding/json"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// scan reads values and keeps the first fault. It decodes by hand what encoding/json
// would take a second struct for: names in two forms, single values in place of lists,
// numbers as they were written, and every unknown field with its name.
type scan struct {
	fault *chat.Fault
	lossy chat.Lossy
	depth int // of the schema that is read
}

func (s *scan) wrong(path, message string) {
	if s.fault == nil {
		s.fault = &chat.Fault{Field: path, Message: message}
	}
}

// drop notes a field without a place. Its path has no indices.
func (s *scan) drop(path, name string) {
	if path != "" {
		name = path + "." + name
	}
	s.lossy.Add(name)
}

func (s *scan) fields(path string, value []byte, visit func(name string, value []byte)) {
	if !object(value, visit) {
		s.wrong(path, "It is not an object, which is wanted here.")
	}
}

// rawFields visits an object whose names are the caller's own, null values too.
func (s *scan) rawFields(path string, value []byte, visit func(name string, value []byte)) {
	if !rawObject(value, func(name, value []byte) { visit(string(jsonscan.Plain(name)), value) }) {
		s.wrong(path, "It is not an object, which is wanted here.")
	}
}

func (s *scan) list(path string, value []byte, visit func(path string, value []byte)) {
	at := 0
	elements(value, func(element []byte) {
		visit(path+"["+strconv.Itoa(at)+"]", element)
		at++
	})
}

func (s *scan) text(path string, value []byte) string {
	if value[0] != '"' {
		s.wrong(path, "It is not a string, which is wanted here.")
	}
	return jsonscan.Text(value)
}

func (s *scan) texts(path string, value []byte) []string {
	var texts []string
	s.list(path, value, func(path string, value []byte) { texts = append(texts, s.text(path, value)) })
	return texts
}

func (s *scan) flag(path string, value []byte) bool {
	switch string(value) {
	case "true":
		return true
	case "false":
	default:
		s.wrong(path, "It is neither true nor false.")
	}
	return false
}

// number is as it was written; it may stand in quotes.
func (s *scan) number(path string, value []byte) string {
	number := string(value)
	if value[0] == '"' {
		number = jsonscan.Text(value)
	}
	if number == "" || number[0] != '-' && (number[0] < '0' || number[0] > '9') || !json.Valid([]byte(number)) {
		s.wrong(path, "It is not a number, which is wanted here.")
		return ""
	}
	return number
}

// whole reads an integer.
func (s *scan) whole(path string, value []byte) int64 {
	number := s.number(path, value)
	n, err := strconv.ParseInt(number, 10, 64)
	if err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(number, 64); err == nil && f == float64(int32(f)) {
		return int64(f) // 1e3, 8.0
	}
	s.wrong(path, "It is not a whole number, which is wanted here.")
	return 0
}

// positive reads a count of at least 1.
func (s *scan) positive(path string, value []byte) int64 {
	n := s.whole(path, value)
	if n < 1 {
		s.wrong(path, "It is less than 1.")
	}
	return n
}

// object is JSON text of an object.
func (s *scan) object(path string, value []byte) string {
	if value[0] != '{' {
		s.wrong(path, "It is not an object, which is wanted here.")
		return ""
	}
	return string(value)
}
