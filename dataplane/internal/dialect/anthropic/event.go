package anthropic

import (
	"bytes"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

var (
	stopName   = []byte("message_stop")
	usageName  = []byte(`"usage"`)
	errorName  = []byte(`"error"`)
	finishName = []byte(`"stop_reason"`)
)

// Done tells whether an event's data is the end mark of a stream.
func Done(data []byte) bool {
	if !bytes.Contains(data, stopName) {
		return false
	}
	var space [4]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], data, nil)
	return err == nil && string(find(fields, "type")) == `"message_stop"`
}

// Speaks tells whether an event's data may say something about usage or failure,
// so that it is worth a Meter's Look. Most events of a stream are not.
func Speaks(data []byte) bool {
	return bytes.Contains(data, usageName) || bytes.Contains(data, errorName)
}

// Finishes tells whether an event gives the reason why the answer ended.
func Finishes(data []byte) bool {
	at := bytes.Index(data, finishName)
	if at < 0 {
		return false
	}
	value := bytes.TrimLeft(data[at+len(finishName):], ": ")
	return bytes.HasPrefix(value, []byte(`"`))
}

// Opens tells whether an event of a stream has nothing of the answer in it: it is a
// comment, a ping, the start of a message or of a block that is empty. What it can't
// read for certain has.
func Opens(data []byte) bool {
	if len(data) == 0 {
		return true
	}
	var space [8]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], data, nil)
	if err != nil {
		return false
	}
	switch string(find(fields, "type")) {
	case `"ping"`:
		return true
	case `"message_start"`:
		return opensMessage(find(fields, "message"))
	case `"content_block_start"`:
		return opensBlock(find(fields, "content_block"))
	}
	return false
}

func opensMessage(message []byte) bool {
	var space [16]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], message, nil)
	if err != nil {
		return false
	}
	content := find(fields, "content")
	return len(content) >= 2 && content[0] == '[' && len(bytes.TrimSpace(content[1:len(content)-1])) == 0
}

func opensBlock(block []byte) bool {
	var space [8]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], block, nil)
	if err != nil {
		return false
	}
	for _, field := range fields {
		switch value := string(field.Value); string(field.Name) {
		case "type":
			if value != `"text"` && value != `"thinking"` {
				return false
			}
		default:
			if value != `""` && value != "null" && value != "[]" {
				return false
			}
		}
	}
	return len(fields) > 0
}

func find(fields []jsonscan.Field, name string) []byte {
	for _, field := range fields {
		if string(field.Name) == name {
			return field.Value
		}
	}
	return nil
}
