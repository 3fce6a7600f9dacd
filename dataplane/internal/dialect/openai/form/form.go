// Package form finds the fields of a multipart/form-data body where they stand, so that
// one can be replaced without another byte being touched. It copies nothing of a body and
// is stricter than most readers: what it takes, all read alike.
// Format: https://www.rfc-editor.org/rfc/rfc7578, https://www.rfc-editor.org/rfc/rfc2046#section-5.1
package form

import (
	"bytes"
	"fmt"
	"mime"
	"strings"
)

// Error says what is wrong with a body; Field is the one that it is about, if its name is
// known.
type Error struct{ Field, Message string }

func (e *Error) Error() string { return e.Message }

// Field is a part of a form.
type Field struct {
	Name string
	// Value of the part; At is its offset in the body.
	Value []byte
	At    int
	// File: the part has a file's name.
	File bool
}

var (
	dashes    = []byte("--")
	lineEnd   = []byte("\r\n")
	blankLine = []byte("\r\n\r\n")
)

// Boundary is what divides the parts of a body of this Content-Type; empty: it is of
// another type, or says so in a way that not all read alike (RFC 2231's boundary*).
func Boundary(contentType string) string {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" || strings.Contains(contentType, "*") {
		return ""
	}
	return parameters["boundary"]
}

// Fields visits the fields of a body, in order.
func Fields(body []byte, boundary string, visit func(Field) *Error) *Error {
	delimiter := []byte("\r\n--" + boundary)
	at := len(delimiter)
	if bytes.HasPrefix(body, delimiter[len(lineEnd):]) {
		at -= len(lineEnd)
	} else if !bytes.HasPrefix(body, delimiter) {
		return &Error{Message: "The request body does not begin with the boundary that its Content-Type names."}
	}
	for !bytes.HasPrefix(body[at:], dashes) {
		if !bytes.HasPrefix(body[at:], lineEnd) {
			return &Error{Message: fmt.Sprintf("The form's boundary at byte %d does not end its line.", at)}
		}
		field, next, err := read(body, at, delimiter)
		if err == nil {
			err = visit(field)
		}
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

// read takes a part whose boundary's line ends at a place, up to behind the next boundary.
func read(body []byte, at int, delimiter []byte) (Field, int, *Error) {
	length := bytes.Index(body[at:], blankLine)
	if length < 0 {
		return Field{}, 0, &Error{Message: fmt.Sprintf("The form's part at byte %d has no end of its header.", at)}
	}
	field, err := readHeader(body[at:at+length], at)
	if err != nil {
		return field, 0, err
	}
	field.At = at + length + len(blankLine)
	size := bytes.Index(body[field.At:], delimiter)
	if size < 0 {
		return field, 0, &Error{Field: field.Name, Message: fmt.Sprintf("The form ends inside of its field %q.", field.Name)}
	}
	field.Value = body[field.At : field.At+size]
	return field, field.At + size + len(delimiter), nil
}
