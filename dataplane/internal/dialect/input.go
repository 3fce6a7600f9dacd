package dialect

import (
	"encoding/binary"
	"strconv"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// besideCompatible bounds what compatible servers write into a prompt by a model's template,
// in tokens: instructions where the caller has none, dates, channels. The longest of well
// known models have some hundreds.
const besideCompatible = 1000

// MaxInput is an upper bound of the tokens of a request's text; what is OpenEnded may have
// more. A token has at least one byte of what the model's tokeniser reads: of the body, where
// quotes, names and separators stand for the tokens around messages, and what Swell adds.
func (r *Request) MaxInput(body []byte, compatible bool) int64 {
	most := int64(len(body)) + r.Beside + Swell(body)
	if compatible {
		most += besideCompatible
	}
	return most
}

// Swell is how many bytes more than it has here a JSON text may have for a tokeniser: many
// read the normal form NFKC (U+FDFA has 3 bytes, its form 33), some NFC, and what is not UTF-8
// as U+FFFD. No escape but \uXXXX is shorter than what it stands for.
func Swell(body []byte) (more int64) {
	for i := plain(body); i < len(body); i += plain(body[i:]) {
		r, size := rune(body[i]), 1
		switch {
		case r == '\\':
			r, size = escaped(body[i:])
		case r >= utf8.RuneSelf:
			r, size = utf8.DecodeRune(body[i:])
		}
		i += size
		if r >= utf8.RuneSelf {
			more += max(0, int64(formed(r))-int64(size))
		}
	}
	return more
}

// escaped is the character of the escape that text begins with, and its length. A half of a
// pair has no form of its own: U+FFFD is as long as any.
func escaped(text []byte) (r rune, size int) {
	if len(text) < 6 || text[1] != 'u' {
		return 0, min(2, len(text))
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return 0, 2
	}
	return rune(n), 6
}

// plain is how many bytes text begins with that are ASCII and no escape. It looks at eight at
// once: a word has a byte of zero where one of its own is a backslash.
func plain(text []byte) int {
	const low, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(text); i += 8 {
		word := binary.LittleEndian.Uint64(text[i:])
		slash := word ^ low*'\\'
		if (word|(slash-low)&^slash)&high != 0 {
			break
		}
	}
	for i < len(text) && text[i] < utf8.RuneSelf && text[i] != '\\' {
		i++
	}
	return i
}

// formed is how many bytes a character has in its normal form, or as it is where that is
// more. Those of several together compose to no more.
func formed(r rune) int {
	if r <= maxFormed {
		return int(forms()[r])
	}
	return form(r)
}

const maxFormed = 0xffff

// forms are of the basic plane, where looking one up takes long beside the rest.
var forms = sync.OnceValue(func() *[maxFormed + 1]uint8 {
	var lengths [maxFormed + 1]uint8
	for r := range lengths {
		lengths[r] = uint8(form(rune(r)))
	}
	return &lengths
})

func form(r rune) int {
	text := utf8.AppendRune(nil, r)
	if norm.NFKC.Properties(text).Decomposition() == nil {
		return len(text)
	}
	return max(len(text), len(norm.NFKC.Bytes(text)))
}
