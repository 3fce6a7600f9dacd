package anthropic

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// reader takes a request apart. The first fault stays; what is read after it has no
// meaning. It is written by hand so that every field without a place is named, at any
// depth, and values stay as they were written.
type reader struct {
	counts bool // its tokens are to be counted
	blocks int  // how deep the blocks are that are read
	lossy  chat.Lossy
	fault  *chat.Fault
}

// value is a JSON value and where it stands; raw is nil where there is none, or null.
type value struct {
	raw  []byte
	path string
}

// object is a JSON object of which fields are taken one by one.
type object struct {
	value
	fields []jsonscan.Field // those taken have no name any more
}

const (
	maxObjectFields = 64
	maxLossy        = 32
	maxLossyName    = 64
	// maxBlocks: the blocks of a document in the result of a tool.
	maxBlocks = 3
)

func (r *reader) wrong(path, message string) {
	if r.fault == nil {
		r.fault = &chat.Fault{Field: path, Message: message}
	}
}

// note names what is left out, without the indexes of its path. A caller's own names
// are made fit for a header, and bounded in length and number.
func (r *reader) note(path string) {
	if len(r.lossy) == maxLossy {
		path = "more"
	}
	if len(r.lossy) <= maxLossy {
		r.lossy.Add(lossyName(path))
	}
}

func lossyName(path string) string {
	var name strings.Builder
	inside := false
	for _, c := range path {
		switch {
		case c == '[' || c == ']':
			inside = c == '['
		case inside:
		case name.Len() == maxLossyName:
			return name.String()
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
			name.WriteRune(c)
		default:
			name.WriteByte('?')
		}
	}
	return name.String()
}

// object opens an object; a fault gives one without fields.
func (r *reader) object(v value) object {
	o := object{value: v}
	if v.raw == nil || r.fault != nil {
		return o
	}
	fields, err := jsonscan.Fields(make([]jsonscan.Field, 0, 8), v.raw, nil)
	switch {
	case err != nil && v.path == "":
		r.wrong("", fmt.Sprintf("The request body is not a JSON object: %s.", err))
		return o
	case err != nil:
		r.wrong(v.path, "It must be an object.")
		return o
	case len(fields) > maxObjectFields:
		r.wrong(v.path, fmt.Sprintf("It has %d fields; an object can have %d at most.", len(fields), maxObjectFields))
		return o
	}
	for i := range fields {
		fields[i].Name = jsonscan.Plain(fields[i].Name)
		if find(fields[:i], string(fields[i].Name)) != nil {
			r.wrong(o.at(string(fields[i].Name)), "It stands there more than once.")
		}
	}
	o.fields = fields
	return o
}

func (o *object) at(name string) string {
	if o.path == "" {
		return name
	}
	return o.path + "." + name
}

// take is a field's value, once.
func (o *object) take(name string) value {
	for i, field := range o.fields {
		if string(field.Name) != name {
			continue
		}
		o.fields[i].Name = nil
		if string(field.Value) == "null" {
			break
		}
		return value{raw: field.Value, path: o.at(name)}
	}
	return value{}
}

// must takes a field that has to be there.
func (r *reader) must(o *object, name string) value {
	v := o.take(name)
	if v.raw == nil {
		r.wrong(o.at(name), "It is required.")
	}
	return v
}

// rest notes the fields that were not taken, unless they are null.
func (r *reader) rest(o *object) {
	for _, field := range o.fields {
		if field.Name != nil && string(field.Value) != "null" {
			r.note(o.at(string(field.Name)))
		}
	}
}

// each visits the elements of an array.
func (r *reader) each(v value, visit func(value)) {
	if v.raw == nil || r.fault != nil {
		return
	}
	if v.raw[0] != '[' {
		r.wrong(v.path, "It must be an array.")
		return
	}
	rest := v.raw[1:]
	for i := 0; r.fault == nil; i++ {
		var element []byte
		if element, rest = next(rest); element == nil {
			return
		}
		visit(value{raw: element, path: v.path + "[" + strconv.Itoa(i) + "]"})
	}
}

// next cuts the first element off an array that was scanned; nil: there is none.
func next(array []byte) (element, rest []byte) {
	array = bytes.TrimLeft(array, ", \t\r\n")
	depth, i := 0, 0
	for ; i < len(array); i++ {
		switch array[i] {
		case '"':
			i += quoted(array[i:])
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if depth < 0 || depth == 0 && array[i] == ',' {
			break
		}
	}
	if element = bytes.TrimRight(array[:i], " \t\r\n"); len(element) == 0 {
		return nil, nil
	}
	return element, array[i:]
}

// quoted is where the string that text begins with ends.
func quoted(text []byte) int {
	for i := 1; ; {
		i += bytes.IndexByte(text[i:], '"')
		back := i
		for text[back-1] == '\\' {
			back--
		}
		if (i-back)%2 == 0 {
			return i
		}
		i++
	}
}

func (v value) isString() bool { return len(v.raw) > 0 && v.raw[0] == '"' }

func (r *reader) text(v value) string {
	if v.raw != nil && !v.isString() {
		r.wrong(v.path, "It must be a string.")
	}
	return jsonscan.Text(v.raw)
}

// word is a text that is one of some.
func (r *reader) word(v value, words ...string) string {
	word := r.text(v)
	for _, known := range words {
		if word == known {
			return word
		}
	}
	if v.raw != nil {
		r.wrong(v.path, "It must be one of "+strings.Join(words, ", ")+".")
	}
	return ""
}

// number is one as it was written.
func (r *reader) number(v value) string {
	if v.raw != nil && v.raw[0] != '-' && (v.raw[0] < '0' || v.raw[0] > '9') {
		r.wrong(v.path, "It must be a number.")
	}
	return string(v.raw)
}

func (r *reader) whole(v value) int64 {
	if v.raw == nil {
		return 0
	}
	n, err := strconv.ParseInt(string(v.raw), 10, 32)
	if err != nil || n < 1 {
		r.wrong(v.path, "It must be a whole number, at least 1.")
	}
	return n
}

// flag is nil where there is none.
func (r *reader) flag(v value) *bool {
	yes := string(v.raw) == "true"
	switch {
	case v.raw == nil:
		return nil
	case !yes && string(v.raw) != "false":
		r.wrong(v.path, "It must be true or false.")
	}
	return &yes
}

// json is an object as it was written.
func (r *reader) json(v value) string {
	if v.raw != nil && v.raw[0] != '{' {
		r.wrong(v.path, "It must be an object.")
	}
	return string(v.raw)
}
