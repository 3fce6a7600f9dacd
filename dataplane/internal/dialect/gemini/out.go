package gemini

import (
	"strconv"
	"unicode/utf8"
)

// out builds JSON; its commas come by themselves.
type out struct{ b []byte }

func (o *out) comma() {
	if n := len(o.b); n > 0 {
		switch o.b[n-1] {
		case '{', '[', ':':
		default:
			o.b = append(o.b, ',')
		}
	}
}

// begin begins a value that stands alone.
func (o *out) begin(bracket byte) { o.b = append(o.b, bracket) }

// item begins an element of an array.
func (o *out) item(bracket byte) {
	o.comma()
	o.b = append(o.b, bracket)
}

// open begins the value of a field.
func (o *out) open(name string, bracket byte) {
	o.key(name)
	o.b = append(o.b, bracket)
}

func (o *out) end(bracket byte) { o.b = append(o.b, bracket) }

func (o *out) key(name string) {
	o.comma()
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *out) text(name, value string) {
	o.key(name)
	o.b = appendString(o.b, value)
}

// said writes a text that is not empty.
func (o *out) said(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

// raw writes JSON as it is; empty: nothing.
func (o *out) raw(name, json string) {
	if json != "" {
		o.key(name)
		o.b = append(o.b, json...)
	}
}

func (o *out) number(name string, value int64) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, value, 10)
}

// counted writes a number that is not 0.
func (o *out) counted(name string, value int64) {
	if value != 0 {
		o.number(name, value)
	}
}

const hexDigits = "0123456789abcdef"

// ordinary are the bytes that stand for themselves in a string.
var ordinary = func() (table [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// appendString appends a JSON string. Bytes that are no UTF-8 become U+FFFD.
func appendString(dst []byte, text string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if ordinary[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, text[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		dst = appendEscape(append(dst, text[start:i]...), c)
		i++
		start = i
	}
	return append(append(dst, text[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\t':
		return append(dst, '\\', 't')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
