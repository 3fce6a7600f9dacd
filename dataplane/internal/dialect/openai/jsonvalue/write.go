package jsonvalue

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// AppendQuoted appends text as a JSON string. Invalid UTF-8 becomes U+FFFD, as with
// encoding/json.
func AppendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, text[from:i]...), "\ufffd"...)
				from = i + size
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			dst = appendEscaped(append(dst, text[from:i]...), c)
			from = i + 1
		}
		i++
	}
	return append(append(dst, text[from:]...), '"')
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}

// Encode writes what always encodes; text stays as readable as it came.
func Encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // the caller's raw parts are JSON
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}
