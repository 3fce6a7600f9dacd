// Package jsonout appends JSON. Values that are JSON already go in as they are, which
// encoding/json would not leave alone, and nothing that was written is read again.
package jsonout

import "strconv"

// Writer builds JSON in B; its commas come by themselves.
type Writer struct{ B []byte }

func (w *Writer) comma() {
	if n := len(w.B); n > 0 {
		switch w.B[n-1] {
		case '{', '[', ':':
		default:
			w.B = append(w.B, ',')
		}
	}
}

// Item begins an element of an array, or the value that stands for all.
func (w *Writer) Item(bracket byte) {
	w.comma()
	w.B = append(w.B, bracket)
}

// Open begins the value of a field.
func (w *Writer) Open(name string, bracket byte) {
	w.key(name)
	w.B = append(w.B, bracket)
}

// End ends values, innermost first.
func (w *Writer) End(brackets string) { w.B = append(w.B, brackets...) }

func (w *Writer) key(name string) {
	w.comma()
	w.B = append(w.B, '"')
	w.B = append(w.B, name...)
	w.B = append(w.B, '"', ':')
}

// Text writes a field that is a string. The name is written as it is.
func (w *Writer) Text(name, value string) {
	w.key(name)
	w.B = AppendString(w.B, value)
}

// Said is Text unless it is empty.
func (w *Writer) Said(name, value string) {
	if value != "" {
		w.Text(name, value)
	}
}

// Raw writes a field's JSON as it is; empty: nothing.
func (w *Writer) Raw(name, json string) {
	if json != "" {
		w.key(name)
		w.B = append(w.B, json...)
	}
}

// Number writes a field that is a whole number.
func (w *Writer) Number(name string, value int64) {
	w.key(name)
	w.B = strconv.AppendInt(w.B, value, 10)
}

// Texts writes a field that is a list of strings; none: nothing.
func (w *Writer) Texts(name string, values []string) {
	if len(values) == 0 {
		return
	}
	w.Open(name, '[')
	for _, value := range values {
		w.comma()
		w.B = AppendString(w.B, value)
	}
	w.End("]")
}
