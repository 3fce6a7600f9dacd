package openai

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// value is a part of a request that is known to be JSON, and where it stands: the field of
// a name below base, or where that is empty, the element of an index.
type value struct {
	raw        []byte
	base, name string
	index      int
}

// path is what a fault names.
func (v value) path() string {
	if v.name == "" {
		return v.base + "[" + strconv.Itoa(v.index) + "]"
	}
	return join(v.base, v.name)
}

func (v value) fault(wanted string) *chat.Fault {
	return &chat.Fault{Field: v.path(), Message: wanted}
}

// child is a field of an object, without raw one that is not there.
func (v value) child(name string, raw []byte) value {
	return value{raw: raw, base: v.path(), name: name}
}

func (v value) null() bool { return len(v.raw) == 0 || string(v.raw) == "null" }

// object visits the fields that are there and not null. Of a field that stands there
// twice both are visited, in order.
func (v value) object(visit func(name string, field value) *chat.Fault) *chat.Fault {
	var space [12]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], v.raw, nil)
	if err != nil {
		return v.fault("It must be an object.")
	}
	base := v.path()
	for _, field := range fields {
		name := string(plain(field.Name))
		inner := value{raw: field.Value, base: base, name: name}
		if inner.null() {
			continue
		}
		if fault := visit(name, inner); fault != nil {
			return fault
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// array visits the elements.
func (v value) array(visit func(i int, element value) *chat.Fault) *chat.Fault {
	if len(v.raw) < 2 || v.raw[0] != '[' {
		return v.fault("It must be an array.")
	}
	base := v.path()
	rest := bytes.TrimLeft(v.raw[1:], blank)
	for i := 0; rest[0] != ']'; i++ {
		end := elementEnd(rest)
		element := value{raw: bytes.TrimRight(rest[:end], blank), base: base, index: i}
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
			for i++; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
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

func (v value) text(into *string) *chat.Fault {
	if len(v.raw) < 2 || v.raw[0] != '"' {
		return v.fault("It must be a string.")
	}
	*into = text(v.raw)
	return nil
}

func (v value) boolean(into *bool) *chat.Fault {
	if json.Unmarshal(v.raw, into) != nil {
		return v.fault("It must be true or false.")
	}
	return nil
}

// optional reads a boolean of which it matters whether it was said.
func (v value) optional(into **bool) *chat.Fault {
	*into = new(bool)
	return v.boolean(*into)
}

// number keeps it as it was written.
func (v value) number(into *string) *chat.Fault {
	if c := v.raw[0]; c != '-' && (c < '0' || c > '9') {
		return v.fault("It must be a number.")
	}
	*into = string(v.raw)
	return nil
}

func (v value) whole(least int64, into *int64) *chat.Fault {
	n, err := strconv.ParseInt(string(v.raw), 10, 64)
	if err != nil || n < least {
		return v.fault("It must be a whole number of " + strconv.FormatInt(least, 10) + " or more.")
	}
	*into = n
	return nil
}

// json keeps an object as it was written.
func (v value) json(into *string) *chat.Fault {
	if v.raw[0] != '{' {
		return v.fault("It must be an object.")
	}
	*into = string(v.raw)
	return nil
}

// oneOf reads a string that is one of a few.
func (v value) oneOf(into *string, words ...string) *chat.Fault {
	if fault := v.text(into); fault != nil {
		return fault
	}
	list := ""
	for i, word := range words {
		if *into == word {
			return nil
		}
		if i > 0 {
			list += ", "
		}
		list += word
	}
	return v.fault("It must be one of: " + list + ".")
}
