package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// Places of the fields that policy reads.
const (
	fieldModel = iota
	fieldStream
	fieldStreamOptions
	fieldMaxTokens
	fieldMaxCompletionTokens
	fieldN
	fieldServiceTier
	fieldAudio
	fieldModalities
	maxFields

	fieldIncludeUsage = 0
)

var (
	topFields    = []string{"model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "service_tier", "audio", "modalities"}
	optionFields = []string{"include_usage"}
)

// pick finds fields by name. A field that is there twice, or as a name that
// differs only in case, is refused.
func pick(fields []jsonscan.Field, names []string) ([maxFields]jsonscan.Field, *Error) {
	var found [maxFields]jsonscan.Field
	for _, field := range fields {
		name := plain(field.Name)
		for i, known := range names {
			if len(name) > len(known)+4 || !strings.EqualFold(string(name), known) {
				continue
			}
			if string(name) != known || found[i].Value != nil {
				return found, &Error{Status: 400, Code: "invalid_json", Param: known,
					Message: fmt.Sprintf("The request body is ambiguous: %q stands there more than once or in other capitals.", known)}
			}
			found[i] = field
		}
	}
	return found, nil
}

// plain decodes the escapes of a field's name.
func plain(name []byte) []byte {
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

// text decodes a JSON string; empty where value is none.
func text(value []byte) string {
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

// media tells by a field's name whether a content part may be billed as more tokens
// than it has bytes, and whether as audio. The names are OpenAI's and, for video
// and linked audio, those of compatible servers; "audio" in a message names an
// earlier answer. An escaped name might be any of them.
func media(name []byte) (open, audio bool) {
	switch string(name) {
	case "image_url", "file":
		return true, false
	case "input_audio", "audio_url", "audio", "video_url":
		return true, true
	}
	escaped := bytes.IndexByte(name, '\\') >= 0
	return escaped, escaped
}
