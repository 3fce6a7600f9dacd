package openai

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect"
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
	fieldWebSearch
	fieldSearch
	fieldPlugins
	fieldModels
	fieldTools
	fieldPrediction
	maxFields

	fieldIncludeUsage = 0
)

var (
	topFields = []string{"model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "service_tier", "audio", "modalities",
		"web_search_options", "search_parameters", "plugins", "models", "tools", "prediction"}
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

// media names the field by which a content part may be billed as more tokens than it has
// bytes, and tells whether as audio; else it is empty. The names are OpenAI's and, for video
// and linked audio, those of compatible servers; "audio" in a message names an
// earlier answer. An escaped name might be any of them.
func media(name []byte) (field string, audio bool) {
	switch string(name) {
	case "image_url":
		return "image_url", false
	case "file":
		return "file", false
	case "input_audio":
		return "input_audio", true
	case "audio_url":
		return "audio_url", true
	case "audio":
		return "audio", true
	case "video_url":
		return "video_url", true
	}
	if bytes.IndexByte(name, '\\') >= 0 {
		return dialect.EscapedName, true
	}
	return "", false
}
