package anthropic

import "github.com/weirhq/weir/dataplane/internal/dialect/jsonout"

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
	w.b = jsonout.AppendString(w.b, text)
}

// open begins a list or object in a list.
func (w *writer) open(bracket string) {
	w.next()
	w.b = append(w.b, bracket...)
}

func (w *writer) close(bracket byte) { w.b = append(w.b, bracket) }
