package gemini

import (
	"bytes"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

var (
	usageName  = []byte(`"usageMetadata"`)
	errorName  = []byte(`"error"`)
	finishName = []byte(`"finishReason"`)
	blockName  = []byte(`"blockReason"`)
)

// unspecified is a reason to end that is none.
const unspecified = "FINISH_REASON_UNSPECIFIED"

// Done tells whether an event's data is the end mark of a stream. There is none: a stream
// is whole when as many candidates have finished as were asked for.
func Done([]byte) bool { return false }

// Speaks tells whether an event's data may say something about usage or failure, so that
// it is worth ParseAnswer. Most chunks say what usage is so far.
func Speaks(data []byte) bool {
	return bytes.Contains(data, usageName) || bytes.Contains(data, errorName)
}

// Finishes is how many candidates an event gives a reason to end; a prompt that is blocked
// counts as one.
func Finishes(data []byte) int {
	if !bytes.Contains(data, finishName) && !bytes.Contains(data, blockName) || !isObject(data) {
		return 0
	}
	finished := 0
	object(bytes.TrimSpace(data), func(name string, value []byte) {
		switch name {
		case "candidates":
			elements(value, func(candidate []byte) {
				object(candidate, func(name string, value []byte) {
					if name == "finishReason" && value[0] == '"' && jsonscan.Text(value) != unspecified {
						finished++
					}
				})
			})
		case "promptFeedback":
			object(value, func(name string, _ []byte) {
				if name == "blockReason" {
					finished++
				}
			})
		}
	})
	return finished
}

// Opens tells whether an event of a stream has nothing of the answer in it: no candidate
// with content or a reason to end. What it can't read for certain has.
func Opens(data []byte) bool {
	if len(data) == 0 {
		return true
	}
	var space [16]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], data, nil)
	if err != nil {
		return false
	}
	opens, known := true, false
	for _, field := range fields {
		switch string(field.Name) {
		case "candidates":
			known = true
			elements(field.Value, func(candidate []byte) { opens = opens && opensCandidate(candidate) })
		case "usageMetadata", "modelVersion", "responseId":
			known = true
		case "promptFeedback", "error":
			return false
		}
	}
	return opens && known
}

func opensCandidate(candidate []byte) bool {
	opens := true
	is := object(candidate, func(name string, value []byte) {
		switch name {
		case "index", "safetyRatings", "tokenCount":
		case "content":
			opens = opens && opensContent(value)
		default: // finishReason, and what is not known
			opens = false
		}
	})
	return is && opens
}

func opensContent(content []byte) bool {
	opens := true
	is := object(content, func(name string, value []byte) {
		if name == "parts" {
			elements(value, func(part []byte) { opens = opens && opensPart(part) })
		}
	})
	return is && opens
}

func opensPart(part []byte) bool {
	opens := true
	is := object(part, func(name string, value []byte) {
		opens = opens && (name == "thought" || name == "text" && string(value) == `""`)
	})
	return is && opens
}
