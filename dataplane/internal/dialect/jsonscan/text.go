package jsonscan

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Plain decodes the escapes of a field's name. Without any it is the name itself.
func Plain(name []byte) []byte {
	if bytes.IndexByte(name, '\\') < 0 {
		return name
	}
	var text string
	quoted := append(append([]byte{'"'}, name...), '"')
	if json.Unmarshal(quoted, &text) != nil {
		return name
	}
	return []byte(text)
}

// Text decodes a value that Fields found; empty where it is no string. Invalid UTF-8 is
// replaced, as encoding/json does.
func Text(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	plain := value[1 : len(value)-1]
	if utf8.Valid(plain) {
		if bytes.IndexByte(plain, '\\') < 0 {
			return string(plain)
		}
		if text, ok := unescape(plain); ok {
			return text
		}
	}
	var text string
	_ = json.Unmarshal(value, &text) // it was scanned: a string that is well formed
	return text
}

// short are the escapes of one character.
var short = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape decodes the text of a string whose escapes are of one character, as most are.
func unescape(plain []byte) (string, bool) {
	var b strings.Builder
	b.Grow(len(plain))
	for {
		at := bytes.IndexByte(plain, '\\')
		if at < 0 {
			b.Write(plain)
			return b.String(), true
		}
		c := short[plain[at+1]]
		if c == 0 {
			return "", false
		}
		b.Write(plain[:at])
		b.WriteByte(c)
		plain = plain[at+2:]
	}
}

// maxCount is more than any answer can have.
const maxCount = 1 << 40

// Count reads a number of tokens, requests or the like: null is 0. False: it is none, or
// none that can be.
func Count(value []byte) (n int64, ok bool) {
	if string(value) == "null" {
		return 0, true
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || n < 0 || n > maxCount {
		return 0, false
	}
	return n, true
}
