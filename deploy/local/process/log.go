package process

import (
	"io"
	"os"
	"strings"
)

const tailBytes = 4 << 10

// lastLines gives the end of a log as an indented block that starts with a newline, or "" when there is none.
func lastLines(path string, n int) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > tailBytes {
		_, _ = f.Seek(-tailBytes, io.SeekEnd)
	}
	raw, err := io.ReadAll(f)
	text := strings.TrimSpace(string(raw))
	if err != nil || text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return "; the end of " + path + ":\n    " + strings.Join(lines, "\n    ")
}
