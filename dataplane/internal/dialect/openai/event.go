package openai

import (
	"bytes"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

var (
	done       = []byte("[DONE]")
	usageName  = []byte(`"usage"`)
	errorName  = []byte(`"error"`)
	finishName = []byte(`"finish_reason"`)
)

// Done tells whether an event's data is the end mark of a stream.
func Done(data []byte) bool { return bytes.Equal(bytes.TrimSpace(data), done) }

// Speaks tells whether an event's data may say something about usage or failure,
// so that it is worth ParseAnswer. Most events of a stream are not.
func Speaks(data []byte) bool {
	for rest := data; ; {
		at := bytes.Index(rest, usageName)
		if at < 0 {
			return bytes.Contains(data, errorName)
		}
		rest = bytes.TrimLeft(rest[at+len(usageName):], ": ")
		if !bytes.HasPrefix(rest, []byte("null")) {
			return true
		}
	}
}

// Finishes tells whether an event gives the reason why a choice ended.
func Finishes(data []byte) bool {
	at := bytes.Index(data, finishName)
	if at < 0 {
		return false
	}
	value := bytes.TrimLeft(data[at+len(finishName):], ": ")
	return bytes.HasPrefix(value, []byte(`"`))
}

// Opens tells whether an event of a stream has nothing of the answer in it: it is a
// comment, or a chunk without choices, or with one that names the role at most. What
// it can't read for certain has.
func Opens(data []byte) bool {
	if len(data) == 0 {
		return true
	}
	var space [24]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], data, nil)
	if err != nil {
		return false
	}
	for _, field := range fields {
		if string(field.Name) == "choices" && len(field.Value) >= 2 && field.Value[0] == '[' {
			choice := bytes.TrimSpace(field.Value[1 : len(field.Value)-1])
			return len(choice) == 0 || opensChoice(choice)
		}
	}
	return false
}

func opensChoice(choice []byte) bool {
	var space [12]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], choice, nil) // also several choices are no object
	if err != nil {
		return false
	}
	for _, field := range fields {
		switch string(field.Name) {
		case "index", "content_filter_results":
		case "delta":
			if !opensDelta(field.Value) {
				return false
			}
		default: // finish_reason, logprobs
			if string(field.Value) != "null" {
				return false
			}
		}
	}
	return true
}

func opensDelta(delta []byte) bool {
	var space [12]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], delta, nil)
	if err != nil {
		return false
	}
	for _, field := range fields {
		if value := string(field.Value); string(field.Name) != "role" && value != "null" && value != `""` && value != "[]" {
			return false
		}
	}
	return true
}
