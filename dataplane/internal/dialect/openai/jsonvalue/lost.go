package jsonvalue

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

// maxLost bounds how many fields are named: a body may have many thousands.
const maxLost = 32

// Lost names fields that the model has no place for, In a list. Their names are the
// caller's: what does not look like one is left unsaid.
type Lost struct {
	In    *chat.Lossy
	noted int
}

// Note names a field below a path.
func (l *Lost) Note(path, name string) {
	if l.noted++; l.noted > maxLost {
		name = "..."
	} else if !isName(name) {
		name = "(unnamed)"
	}
	l.In.Add(Join(path, name))
}

func isName(name string) bool {
	for _, c := range []byte(name) {
		if c != '_' && c != '-' && c != '.' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != "" && len(name) <= 64
}
