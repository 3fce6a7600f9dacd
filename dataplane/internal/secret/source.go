package secret

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// maxBytes bounds a credential: the largest header common servers accept.
const maxBytes = 8 << 10

var errNoFile = fmt.Errorf("it is not a regular file of at most %d bytes", maxBytes)

// read looks at a source. Its errors never quote what it holds.
func read(reference string, lookup func(string) (string, bool)) (string, error) {
	if name, ok := strings.CutPrefix(reference, "env://"); ok {
		text, set := lookup(name)
		if !set {
			return "", errors.New("the variable is not set")
		}
		return Credential(text)
	}
	if path, ok := strings.CutPrefix(reference, "file://"); ok && strings.HasPrefix(path, "/") {
		return readFile(path)
	}
	return "", errors.New("a reference is env://NAME or file:///path")
}

// readFile opens nothing but regular files: a pipe would wait for its other end, a
// device may do anything.
func readFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", reason(err)
	}
	if !info.Mode().IsRegular() {
		return "", errNoFile
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // it may be a pipe by now
	if err != nil {
		return "", reason(err)
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return "", reason(err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxBytes {
		return "", errNoFile
	}
	content, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return "", reason(err)
	}
	if len(content) > maxBytes {
		return "", errNoFile
	}
	return Credential(string(content))
}

// reason says it for people; the path is in the reference.
func reason(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("the file is not there")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("the agent may not read the file")
	}
	if inner := (*fs.PathError)(nil); errors.As(err, &inner) {
		return inner.Err
	}
	return err
}

// Credential trims what editors and mounts add and refuses what no header can
// carry. Its errors never quote the text.
func Credential(text string) (string, error) {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if text == "" {
		return "", errors.New("the value is empty")
	}
	for _, c := range []byte(text) {
		if c < ' ' || c == 0x7f {
			return "", errors.New("the value has control characters, such as a line break or a tab between others: want one line of text, in UTF-8")
		}
	}
	return text, nil
}
