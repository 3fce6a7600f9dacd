package openai

import (
	"bytes"
	"fmt"
	"strings"

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

// Pick finds fields by name, each at the place of its name. A field that is there twice, or
// as a name that differs only in case, is refused.
func Pick(found, fields []jsonscan.Field, names []string) *Error {
	for _, field := range fields {
		name := jsonscan.Plain(field.Name)
		for i, known := range names {
			if len(name) > len(known)+4 || !strings.EqualFold(string(name), known) {
				continue
			}
			if string(name) != known || found[i].Value != nil {
				return &Error{Status: 400, Code: "invalid_json", Param: known,
					Message: fmt.Sprintf("The request body is ambiguous: %q stands there more than once or in other capitals.", known)}
			}
			found[i] = field
		}
	}
	return nil
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
