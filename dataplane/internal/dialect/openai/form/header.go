package form

import (
	"bytes"
	"fmt"
	"mime"
	"regexp"
	"strings"
)

// maxNameBytes bounds the names of fields.
const maxNameBytes = 200

// readHeader takes the name of a part from its header, which begins with the end of the
// boundary's line.
func readHeader(header []byte, at int) (field Field, err *Error) {
	disposed, encoding := 0, ""
	for line := range bytes.SplitSeq(bytes.TrimPrefix(header, lineEnd), lineEnd) {
		name, value, _ := bytes.Cut(line, []byte{':'})
		if len(name) == len(line) || !isToken(name) || bytes.ContainsFunc(value, isControl) {
			return Field{}, &Error{Message: fmt.Sprintf("The form's part at byte %d has a header that is not well formed.", at)}
		}
		switch strings.ToLower(string(name)) {
		case "content-disposition":
			disposed++
			field.Name, field.File = disposition(string(value))
		case "content-transfer-encoding":
			encoding = strings.ToLower(string(bytes.TrimSpace(value)))
		}
	}
	switch {
	case disposed != 1 || field.Name == "" || len(field.Name) > maxNameBytes:
		return Field{}, &Error{Message: fmt.Sprintf("The form's part at byte %d has no name, or one that not all read alike.", at)}
	case encoding != "" && encoding != "binary" && encoding != "8bit" && encoding != "7bit":
		return field, &Error{Field: field.Name, Message: fmt.Sprintf("The form's field %q is encoded: send it as it is.", field.Name)}
	}
	return field, nil
}

// otherName is a name in the forms of RFC 2231: it replaces the plain one to some readers,
// and is nothing to others. RFC 7578 has it in no form.
var otherName = regexp.MustCompile(`(?i)(^|[;\s])name\*`)

// disposition is a part's name; empty: it has none that all read alike.
func disposition(value string) (name string, file bool) {
	kind, parameters, err := mime.ParseMediaType(value)
	if err != nil || kind != "form-data" || otherName.MatchString(value) {
		return "", false
	}
	if name = parameters["name"]; strings.ContainsFunc(name, isOpen) {
		return "", false
	}
	_, file = parameters["filename"]
	return name, file
}

// isOpen tells what some readers decode or trim in a name, and others don't.
func isOpen(c rune) bool { return c <= ' ' || c > '~' || c == '\\' || c == '"' || c == '%' }

// isToken tells the name of a header. A line that goes on with the one before has none:
// some readers take it for a header of its own.
func isToken(name []byte) bool {
	for _, c := range name {
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(name) > 0
}

// isControl tells what is no text; a line feed alone is the end of a line to some readers.
func isControl(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }
