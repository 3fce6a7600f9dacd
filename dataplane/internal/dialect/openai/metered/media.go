package metered

import (
	"bytes"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// Images are generations, edits and variations: of models that tell their tokens, and of
// those that are billed by the image.
type Images struct{ openai.Chat }

var _ dialect.Typed = Images{}

// ParseTyped reads JSON or a form.
func (Images) ParseTyped(contentType string, body []byte) (dialect.Request, *dialect.Refusal) {
	request, _, refusal := parse(contentType, body)
	request.Unmetered, request.AsksImages = true, true
	return request, refusal
}

// Answer reads usage, and how many images there are.
func (Images) Answer(body []byte) dialect.Answer {
	answer := openai.ReadAnswer(body, openai.ParseImageUsage).Answer
	if count := imagesIn(body); count > 0 && !answer.Failed {
		if answer.Usage == nil {
			answer.Usage = &usagev1.TokenUsage{}
		}
		answer.Usage.Images = count
	}
	return answer
}

// imagesIn counts the elements of data.
func imagesIn(body []byte) (count int64) {
	var space [16]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], body, nil)
	if err != nil {
		return 0
	}
	for _, field := range fields {
		if string(field.Name) == "data" && len(field.Value) > 0 && field.Value[0] == '[' {
			_ = jsonvalue.New("", field.Value).Array(func(int, jsonvalue.Value) *chat.Fault {
				count++
				return nil
			})
		}
	}
	return count
}

// Look reads the usage that the last event has.
func (i Images) Look(s *dialect.Stream, data []byte) (hide bool) {
	look(s, data, i.Answer, imageEnds)
	return false
}

// Glimpse finds the end of a stream whose last event is a large image.
func (Images) Glimpse(s *dialect.Stream, piece []byte) { glimpse(s, piece, imageEnds) }

var imageEnds = [][]byte{[]byte(`"image_generation.completed"`), []byte(`"image_edit.completed"`)}

// Speech is audio, in bytes or as events.
type Speech struct{ openai.Chat }

var _ dialect.Dialect = Speech{}

// Parse reads a request. Bytes say nothing of usage.
func (Speech) Parse(body []byte) (dialect.Request, *dialect.Refusal) {
	request, found, refusal := parse("", body)
	request.Stream = is(found[fieldStreamFormat], "sse")
	request.Unmetered, request.AsksAudio = true, true
	return request, refusal
}

// Answer reads the usage of an event.
func (Speech) Answer(body []byte) dialect.Answer {
	return openai.ReadAnswer(body, speechUsage).Answer
}

// speechUsage counts all output as audio: nothing else comes.
func speechUsage(object []byte) *usagev1.TokenUsage {
	usage := openai.ParseUsage(object)
	if usage != nil {
		usage.OutputAudio, usage.Output = usage.OutputAudio+usage.Output, 0
	}
	return usage
}

// Look reads the usage that the last event has.
func (v Speech) Look(s *dialect.Stream, data []byte) (hide bool) {
	look(s, data, v.Answer, speechEnds)
	return false
}

var speechEnds = [][]byte{[]byte(`"speech.audio.done"`)}

// Transcriptions are texts of audio, in its language or in English.
type Transcriptions struct{ openai.Chat }

var _ dialect.Typed = Transcriptions{}

// ParseTyped reads a form.
func (Transcriptions) ParseTyped(contentType string, body []byte) (dialect.Request, *dialect.Refusal) {
	request, _, refusal := parse(contentType, body)
	request.Unmetered, request.SendsAudio = true, true
	return request, refusal
}

// Answer reads usage. Minutes are no tokens; without a word on which of the tokens are
// audio the price is not known.
func (Transcriptions) Answer(body []byte) dialect.Answer {
	answer := openai.ReadAnswer(body, openai.ParseUsage).Answer
	answer.Unpriced = answer.Usage == nil || answer.Usage.InputAudio == 0
	return answer
}

// Look reads the usage that the last event has.
func (t Transcriptions) Look(s *dialect.Stream, data []byte) (hide bool) {
	look(s, data, t.Answer, transcriptEnds)
	return false
}

var transcriptEnds = [][]byte{[]byte(`"transcript.text.done"`)}

// look notes what an event says; one of ends is the last that has something to say.
func look(s *dialect.Stream, data []byte, read func([]byte) dialect.Answer, ends [][]byte) {
	glimpse(s, data, ends)
	if !openai.Speaks(data) {
		return
	}
	said := read(data)
	said.Failed = said.Failed || s.Answer.Failed
	if said.Usage == nil {
		s.Answer.Failed = said.Failed
		return
	}
	s.Answer, s.Total = said, s.Finished > 0
}

func glimpse(s *dialect.Stream, piece []byte, ends [][]byte) {
	for _, end := range ends {
		if bytes.Contains(piece, end) {
			s.Finished++
		}
	}
}
