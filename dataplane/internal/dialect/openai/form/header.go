package form

import (
	"bytes"
	"fmt"
	"mime"
	"strings"
)

// maxNameBytes bounds the names of fields.
const maxNameBytes = 200

// readHeader takes the name of a part from its header, which begins with the end of the
// boundary's line.
func readHeader(header []byte, at int) (field Field, err *Error) {
	disposed, encoding := 0, ""
	for line := range bytes.SplitSeq(bytes.TrimPrefix(header, lineEnd), lineEnd) {
		if bytes.ContainsAny(line, "\r\n") { // to some readers the end of a line
			return Field{}, &Error{Message: fmt.Sprintf("The form's part at byte %d has a header with other line ends than CR LF.", at)}
		}
		name, value, _ := bytes.Cut(line, []byte{':'})
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
		return Field{}, &Error{Message: fmt.Sprintf("The form's part at byte %d has no name.", at)}
	case encoding != "" && encoding != "binary" && encoding != "8bit" && encoding != "7bit":
		return field, &Error{Field: field.Name, Message: fmt.Sprintf("The form's field %q is encoded: send it as it is.", field.Name)}
	}
	return field, nil
}

func disposition(value string) (name string, file bool) {
	kind, parameters, err := mime.ParseMediaType(value)
	if err != nil || kind != "form-data" {
		return "", false
	}
	_, file = parameters["filename"]
	return parameters["name"], file
}
