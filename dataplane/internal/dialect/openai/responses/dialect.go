package responses

import (
	"bytes"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// Passed is the Responses API where both sides speak it. Answers have the form of those of
// chats as far as they are looked at.
type Passed struct{ openai.Chat }

var (
	_ dialect.Dialect  = Passed{}
	_ dialect.Glimpser = Passed{}
	_ dialect.Teller   = Passed{}
)

// deltaName is of what is new: later events repeat it as a whole.
var deltaName = [][]byte{[]byte(`"delta"`)}

// TextBytes is of deltas alone.
func (Passed) TextBytes(data []byte) int64 { return dialect.TextIn(data, deltaName) }

// Events that end a stream.
var (
	endings    = [][]byte{[]byte(`"response.completed"`), []byte(`"response.incomplete"`), []byte(`"response.failed"`)}
	failedName = endings[2]
)

// Look reads the usage that the last event has, in the response that it tells of.
func (p Passed) Look(s *dialect.Stream, data []byte) (hide bool) {
	kind, response := ending(data)
	switch {
	case kind != nil:
		said := p.Answer(response)
		said.Failed = said.Failed || s.Answer.Failed || bytes.Equal(kind, failedName)
		s.Answer = said
		s.Finished++
		s.Total = said.Usage != nil
	case bytes.Contains(data, errorName):
		s.Answer.Failed = s.Answer.Failed || openai.ParseAnswer(data).Failed
	}
	return false
}

// errorName is in the event that tells of an error, and in few others.
var errorName = []byte(`"error"`)

// Glimpse finds the end of a stream whose last event repeats a large answer.
func (Passed) Glimpse(s *dialect.Stream, piece []byte) {
	for _, end := range endings {
		if bytes.Contains(piece, end) {
			s.Finished++
		}
	}
}

// Done tells whether an event has the response as it ended. Some servers send the end mark
// of chats behind it.
func (Passed) Done(data []byte) bool {
	kind, _ := ending(data)
	return kind != nil || openai.Done(data)
}

// ending is nil for an event that does not end a stream.
func ending(data []byte) (kind, response []byte) {
	for _, end := range endings {
		if bytes.Contains(data, end) {
			kind = end
		}
	}
	if kind == nil {
		return nil, nil
	}
	var space [4]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], data, nil)
	if err != nil || !bytes.Equal(fieldOf(fields, "type"), kind) {
		return nil, nil
	}
	return kind, fieldOf(fields, "response")
}

func fieldOf(fields []jsonscan.Field, name string) []byte {
	for _, field := range fields {
		if string(field.Name) == name {
			return field.Value
		}
	}
	return nil
}

// Opens tells whether an event has nothing of the answer in it: it tells that one began, or
// an item or part of it that is empty.
func (Passed) Opens(data []byte) bool {
	if len(data) == 0 {
		return true
	}
	var space [8]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], data, nil)
	if err != nil {
		return false
	}
	switch string(fieldOf(fields, "type")) {
	case `"response.created"`, `"response.in_progress"`, `"response.queued"`:
		return true
	case `"response.output_item.added"`:
		return empty(fieldOf(fields, "item"), "content", "summary")
	case `"response.content_part.added"`, `"response.reasoning_summary_part.added"`:
		return empty(fieldOf(fields, "part"), "text", "refusal")
	}
	return false
}

// empty tells whether an object has one of these fields, and nothing in any.
func empty(object []byte, contents ...string) bool {
	var space [12]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], object, nil)
	if err != nil {
		return false
	}
	there := false
	for _, name := range contents {
		if content := fieldOf(fields, name); content != nil {
			there = true
			if string(content) != `""` && string(content) != "null" && !jsonvalue.EmptyArray(content) {
				return false
			}
		}
	}
	return there
}

// Event is a refusal as the event that ends a stream.
func (Passed) Event(r *dialect.Refusal) []byte {
	dst := jsonvalue.AppendQuoted([]byte("event: error\ndata: {\"type\":\"error\",\"code\":"), string(r.Code))
	dst = jsonvalue.AppendQuoted(append(dst, `,"message":`...), r.Message)
	return append(dst, ",\"param\":null}\n\n"...)
}
