package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// place is where in a JSON request something is.
type place struct {
	// path as violations write it: targets[0].provider_id.
	path string
	// message that the innermost object stands for; nil where the schema says nothing.
	message protoreflect.MessageDescriptor
	// name is the caller's for the innermost field.
	name string
	// field is what name stands for; nil: unknown.
	field protoreflect.FieldDescriptor
}

// frame is an object or a list around a place.
type frame struct {
	path    string
	message protoreflect.MessageDescriptor // of an object
	entries protoreflect.FieldDescriptor   // of an object that is a map, of a list
	list    bool
	named   bool // the next token of an object is a value
	count   int
	at      place
}

// locate finds the place of a byte of a JSON text; what comes before it is valid.
func locate(body []byte, offset int, md protoreflect.MessageDescriptor) place {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	at := place{message: md}
	var stack []frame
	for {
		token, err := decoder.Token()
		if err != nil {
			return place{message: md} // of no field: it is no JSON from here on
		}
		delimiter, _ := token.(json.Delim)
		switch {
		case delimiter == '}' || delimiter == ']':
			stack = stack[:len(stack)-1]
			at = place{message: md}
			if len(stack) > 0 {
				at = stack[len(stack)-1].at
			}
		case len(stack) > 0:
			at = stack[len(stack)-1].step(token)
		}
		if int(decoder.InputOffset()) > offset {
			return at
		}
		if delimiter == '{' || delimiter == '[' {
			stack = append(stack, open(at, delimiter == '[', len(stack) == 0))
		}
	}
}

// step moves on by one token: a name, or the value after it, or the next of a list.
func (f *frame) step(token json.Token) place {
	if f.list {
		f.at = place{path: fmt.Sprintf("%s[%d]", f.path, f.count), field: f.entries}
		f.count++
		return f.at
	}
	f.named = !f.named
	if !f.named {
		return f.at
	}
	name, _ := token.(string)
	switch {
	case f.entries != nil:
		f.at = place{path: fmt.Sprintf("%s[%q]", f.path, name), name: name, field: f.entries.MapValue()}
	default:
		f.at = place{path: join(f.path, name), message: f.message, name: name}
		if f.at.field = fieldNamed(f.message, name); f.at.field != nil {
			f.at.path = join(f.path, string(f.at.field.Name()))
		}
	}
	return f.at
}

// open is the frame that begins at a place.
func open(at place, list, whole bool) frame {
	f := frame{path: at.path, list: list}
	switch {
	case whole:
		f.message = at.message
	case at.field == nil:
	case list || at.field.IsMap():
		f.entries = at.field
	default:
		f.message = at.field.Message()
	}
	return f
}

func fieldNamed(md protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if md == nil {
		return nil
	}
	if fd := md.Fields().ByJSONName(name); fd != nil {
		return fd
	}
	return md.Fields().ByTextName(name)
}

// offsetOf turns a line and a column in characters, both from 1, into bytes.
func offsetOf(body []byte, line, column int) int {
	offset := 0
	for ; line > 1; line-- {
		end := bytes.IndexByte(body[offset:], '\n')
		if end < 0 {
			return len(body)
		}
		offset += end + 1
	}
	for ; column > 1 && offset < len(body); column-- {
		_, size := utf8.DecodeRune(body[offset:])
		offset += size
	}
	return offset
}
