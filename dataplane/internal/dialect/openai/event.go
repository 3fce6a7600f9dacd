package openai

import "bytes"

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
