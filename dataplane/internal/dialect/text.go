package dialect

import "bytes"

// Teller is a Dialect that tells how much an event of a stream says, for those who need an
// estimate before usage comes.
type Teller interface {
	// TextBytes is about how many bytes of text, thinking and arguments of calls are in an
	// event.
	TextBytes(data []byte) int64
}

// TextIn sums the lengths of the strings that stand in data under one of the names, each with
// its quotes. It reads no structure: what an event repeats counts again, escapes as they are
// written. A name within a string has its quotes escaped, and is none.
func TextIn(data []byte, names [][]byte) (all int64) {
	for _, name := range names {
		for rest := data; ; {
			at := bytes.Index(rest, name)
			if at < 0 {
				break
			}
			value := bytes.TrimLeft(rest[at+len(name):], ": ")
			if len(value) == 0 || value[0] != '"' {
				rest = value
				continue
			}
			length := stringLength(value[1:])
			all += int64(length)
			rest = value[1+length:]
		}
	}
	return all
}

// stringLength is how long a string is up to its closing quote, or to the end.
func stringLength(text []byte) int {
	for from := 0; ; {
		at := bytes.IndexByte(text[from:], '"')
		if at < 0 {
			return len(text)
		}
		at += from
		slashes := 0
		for slashes < at && text[at-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return at
		}
		from = at + 1
	}
}
