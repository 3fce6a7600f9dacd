package anthropic

import "unicode/utf8"

// writer appends JSON. Values that are JSON already go in as they are, which
// encoding/json would not leave alone.
type writer struct{ b []byte }

// next divides a value from the one before it.
func (w *writer) next() {
	switch w.b[len(w.b)-1] {
	case '{', '[', ':':
	default:
		w.b = append(w.b, ',')
	}
}

func (w *writer) key(name string) {
	w.next()
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, `":`...)
}

func (w *writer) raw(name, json string) {
	w.key(name)
	w.b = append(w.b, json...)
}

func (w *writer) text(name, text string) {
	w.key(name)
	w.b = appendQuoted(w.b, text)
}

// open begins a list or object in a list.
func (w *writer) open(bracket string) {
	w.next()
	w.b = append(w.b, bracket...)
}

func (w *writer) close(bracket byte) { w.b = append(w.b, bracket) }

const hexDigits = "0123456789abcdef"

// special marks the bytes that a string can't just hold, and those of longer characters.
var special = func() (table [256]bool) {
	for c := range table {
		table[c] = c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf
	}
	return table
}()

// appendQuoted appends text as a JSON string. Bytes that are not UTF-8 become U+FFFD, as
// with encoding/json, but no character of HTML is escaped.
func appendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(text); {
		if !special[text[i]] {
			i++
			continue
		}
		if _, size := utf8.DecodeRuneInString(text[i:]); size > 1 {
			i += size
			continue
		}
		dst = append(dst, text[from:i]...)
		dst = appendEscaped(dst, text[i])
		i++
		from = i
	}
	dst = append(dst, text[from:]...)
	return append(dst, '"')
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
	if c >= utf8.RuneSelf {
		return append(dst, "\ufffd"...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
