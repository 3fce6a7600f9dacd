package jsonout

import (
	"math/bits"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// special are the bytes that do not stand for themselves in a string, or may not.
var special = func() (table [256]bool) {
	for c := range table {
		table[c] = c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\'
	}
	return table
}()

// Eight bytes with their lowest, or highest, bit set.
const (
	low  = 0x0101010101010101
	high = 0x8080808080808080
)

// ordinary is how many bytes text begins with that stand for themselves, looked at by eight:
// in a word, the lowest byte that is marked is truly special.
func ordinary(text string) int {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		t := text[i : i+8]
		word := uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 | uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
		quote, slash := word^low*'"', word^low*'\\'
		if marks := (word | (word - low*' ') | (quote - low) | (slash - low)) & high; marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	for i < len(text) && !special[text[i]] {
		i++
	}
	return i
}

// AppendString appends text as a JSON string. Bytes that are not UTF-8 become U+FFFD, as
// with encoding/json, but no character of HTML is escaped.
func AppendString(dst []byte, text string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; ; {
		if i += ordinary(text[i:]); i == len(text) {
			break
		}
		c := text[i]
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
