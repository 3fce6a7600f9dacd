// Package jsonvalue reads requests whose dialect is translated, where a fault has to name
// the field that is wrong ("messages[2].content[0].image_url.url"), and writes JSON without a
// form for it. Values are parts of a text that jsonscan found to be valid; nothing is
// decoded before it is asked for.
package jsonvalue

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// Value is a part of a request, and where it stands: the field of a name below base, or
// where that is empty, the element of an index. Raw is valid JSON, or empty where there is
// none.
type Value struct {
	Raw        []byte
	base, name string
	index      int
}

// New is a field of a request.
func New(name string, raw []byte) Value { return Value{Raw: raw, name: name} }

// Name of the field; empty of an element.
func (v Value) Name() string { return v.name }

// Path is what a fault names.
func (v Value) Path() string {
	if v.name == "" {
		return v.base + "[" + strconv.Itoa(v.index) + "]"
	}
	return Join(v.base, v.name)
}

// Fault is of this value; wanted says what it must be.
func (v Value) Fault(wanted string) *chat.Fault {
	return &chat.Fault{Field: v.Path(), Message: wanted}
}

// Child is a field of an object, without raw one that is not there.
func (v Value) Child(name string, raw []byte) Value {
	return Value{Raw: raw, base: v.Path(), name: name}
}

// Null tells a value that is null, or not there.
func (v Value) Null() bool { return len(v.Raw) == 0 || string(v.Raw) == "null" }

// Object visits the fields that are there and not null. Of a field that stands there
// twice both are visited, in order.
func (v Value) Object(visit func(name string, field Value) *chat.Fault) *chat.Fault {
	var space [12]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], v.Raw, nil)
	if err != nil {
		return v.Fault("It must be an object.")
	}
	base := v.Path()
	for _, field := range fields {
		name := string(jsonscan.Plain(field.Name))
		inner := Value{Raw: field.Value, base: base, name: name}
		if inner.Null() {
			continue
		}
		if fault := visit(name, inner); fault != nil {
			return fault
		}
	}
	return nil
}

// Join is the path of a field.
func Join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Array visits the elements.
func (v Value) Array(visit func(i int, element Value) *chat.Fault) *chat.Fault {
	if len(v.Raw) < 2 || v.Raw[0] != '[' {
		return v.Fault("It must be an array.")
	}
	base := v.Path()
	rest := bytes.TrimLeft(v.Raw[1:], blank)
	for i := 0; rest[0] != ']'; i++ {
		end := elementEnd(rest)
		element := Value{Raw: bytes.TrimRight(rest[:end], blank), base: base, index: i}
		if fault := visit(i, element); fault != nil {
			return fault
		}
		rest = bytes.TrimLeft(bytes.TrimPrefix(rest[end:], []byte{','}), blank)
	}
	return nil
}

const blank = " \t\r\n"

// elementEnd is where the first element of text ends: at its comma, or at the bracket of
// the array around it.
func elementEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = stringEnd(text, i)
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// stringEnd is where the string that begins at a quote ends: at a quote behind an even
// number of backslashes.
func stringEnd(text []byte, at int) int {
	for {
		at += 1 + bytes.IndexByte(text[at+1:], '"')
		slashes := at - 1
		for text[slashes] == '\\' {
			slashes--
		}
		if (at-slashes)%2 == 1 {
			return at
		}
	}
}

// Text reads a string.
func (v Value) Text(into *string) *chat.Fault {
	if len(v.Raw) < 2 || v.Raw[0] != '"' {
		return v.Fault("It must be a string.")
	}
	*into = jsonscan.Text(v.Raw)
	return nil
}

// Boolean reads true or false.
func (v Value) Boolean(into *bool) *chat.Fault {
	if json.Unmarshal(v.Raw, into) != nil {
		return v.Fault("It must be true or false.")
	}
	return nil
}

// Optional reads a boolean of which it matters whether it was said.
func (v Value) Optional(into **bool) *chat.Fault {
	*into = new(bool)
	return v.Boolean(*into)
}

// Number keeps it as it was written.
func (v Value) Number(into *string) *chat.Fault {
	if c := v.Raw[0]; c != '-' && (c < '0' || c > '9') {
		return v.Fault("It must be a number.")
	}
	*into = string(v.Raw)
	return nil
}

// Whole reads a whole number of at least so much.
func (v Value) Whole(least int64, into *int64) *chat.Fault {
	n, err := strconv.ParseInt(string(v.Raw), 10, 64)
	if err != nil || n < least {
		return v.Fault("It must be a whole number of " + strconv.FormatInt(least, 10) + " or more.")
	}
	*into = n
	return nil
}

// JSON keeps an object as it was written.
func (v Value) JSON(into *string) *chat.Fault {
	if v.Raw[0] != '{' {
		return v.Fault("It must be an object.")
	}
	*into = string(v.Raw)
	return nil
}

// OneOf reads a string that is one of a few.
func (v Value) OneOf(into *string, words ...string) *chat.Fault {
	if fault := v.Text(into); fault != nil {
		return fault
	}
	if slices.Contains(words, *into) {
		return nil
	}
	return v.Fault("It must be one of: " + strings.Join(words, ", ") + ".")
}

// EmptyArray tells an array without elements.
func EmptyArray(value []byte) bool {
	return len(value) >= 2 && value[0] == '[' && len(bytes.TrimSpace(value[1:len(value)-1])) == 0
}
