package process

import (
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

const tailBytes = 16 << 10

// frame is a line of a stack trace, of which an engine writes more than of what happened.
var frame = regexp.MustCompile(`^\s*\d+\. .*@ 0x[0-9a-f]+$`)

// lastLines gives the end of a log, without stack traces, as an indented block that starts with a newline, or "" when
// there is none.
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
	lines := slices.DeleteFunc(strings.Split(text, "\n"), frame.MatchString)
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return "; the end of " + path + ":\n    " + strings.Join(lines, "\n    ")
}
