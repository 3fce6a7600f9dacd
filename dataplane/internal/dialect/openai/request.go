// Package openai knows the OpenAI chat dialect. Where both sides speak it, as far as
// policy needs: it reads a few fields of a request, changes bytes only where it must,
// finds usage in answers and shapes errors. Where one side does not, Surface and
// Provider turn it into the model of package chat and back. It sends nothing and
// decides nothing.
// Format: https://platform.openai.com/docs/api-reference/chat
package openai

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/jsonvalue"
)

// Unknown is a bound that could not be read.
const Unknown = -1

// Request is what policy needs of a chat completion's body.
type Request struct {
	Model  string
	Stream bool
	// AsksUsage: the caller wants the usage event of a stream.
	AsksUsage bool
	// MaxOutput is the caller's cap on the output tokens of one choice; 0: none.
	// Unknown where it is not a whole number.
	MaxOutput int64
	// Choices is n, at least 1, or Unknown.
	Choices int64
	// ServiceTier as the caller wrote it, empty when it is not a string.
	ServiceTier string
	// OpenEnded: parts of the prompt may be billed as more tokens than they have
	// bytes (images, audio, files).
	OpenEnded bool
	// SendsAudio: parts of the prompt may be audio. AsksAudio: the answer may be.
	SendsAudio, AsksAudio bool

	model   edit
	options edit // asks for usage; no text: nothing to change
}

// edit replaces body[from:to].
type edit struct {
	from, to int
	text     string
}

// ParseRequest reads a body, which it neither keeps nor changes. Invalid JSON, and
// fields that policy reads but that stand there twice, or with other capitals (some
// servers don't mind), are refused: which of them an upstream would take can't be
// known.
func ParseRequest(body []byte) (Request, *Error) {
	request := Request{Choices: 1}
	var space [32]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], body, func(name []byte) {
		open, audio := media(name)
		request.OpenEnded, request.SendsAudio = request.OpenEnded || open, request.SendsAudio || audio
	})
	if err != nil {
		return request, invalidJSON(fmt.Sprintf("The request body is not a JSON object: %s.", err))
	}
	found, refusal := pick(fields, topFields)
	if refusal != nil {
		return request, refusal
	}
	model := found[fieldModel]
	if request.Model = jsonvalue.Text(model.Value); request.Model == "" {
		return request, &Error{Status: http.StatusBadRequest, Code: "model_missing", Param: "model",
			Message: "You must provide the model parameter: the name of a route, as a string."}
	}
	request.model = edit{from: model.At, to: model.At + len(model.Value)}
	request.readBounds(found)
	if string(found[fieldStream].Value) == "true" {
		request.Stream = true
		refusal = request.readOptions(found[fieldStreamOptions], bytes.IndexByte(body, '{')+1)
	}
	return request, refusal
}

func (r *Request) readBounds(found [maxFields]jsonscan.Field) {
	r.MaxOutput = max(whole(found[fieldMaxTokens].Value, 0), whole(found[fieldMaxCompletionTokens].Value, 0))
	if whole(found[fieldMaxTokens].Value, 0) < 0 || whole(found[fieldMaxCompletionTokens].Value, 0) < 0 {
		r.MaxOutput = Unknown
	}
	if r.Choices = whole(found[fieldN].Value, 1); r.Choices == 0 {
		r.Choices = Unknown
	}
	r.ServiceTier = jsonvalue.Text(found[fieldServiceTier].Value) // not a string: the upstream's matter
	voice, modalities := found[fieldAudio].Value, found[fieldModalities].Value
	r.AsksAudio = len(voice) > 0 && string(voice) != "null" ||
		bytes.Contains(modalities, []byte(`"audio"`)) || bytes.IndexByte(modalities, '\\') >= 0
}

// whole reads a number; absent and null give the default.
func whole(value []byte, absent int64) int64 {
	if len(value) == 0 || string(value) == "null" {
		return absent
	}
	n, err := strconv.ParseInt(string(value), 10, 32)
	if err != nil || n < 0 {
		return Unknown
	}
	return n
}

// readOptions plans how the upstream is asked for usage. first is where the
// body's first field begins. Options of a wrong type are the upstream's to refuse.
func (r *Request) readOptions(options jsonscan.Field, first int) *Error {
	switch {
	case options.Value == nil:
		r.options = edit{from: first, to: first, text: `"stream_options":{"include_usage":true},`}
		return nil
	case string(options.Value) == "null":
		r.options = edit{from: options.At, to: options.At + len(options.Value), text: `{"include_usage":true}`}
		return nil
	case options.Value[0] != '{':
		return nil
	}
	var space [8]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], options.Value, nil)
	if err != nil {
		return invalidJSON("stream_options is not valid.")
	}
	found, refusal := pick(fields, optionFields)
	if refusal != nil {
		return refusal
	}
	asked := found[fieldIncludeUsage]
	switch string(asked.Value) {
	case "true":
		r.AsksUsage = true
	case "false", "null":
		at := options.At + asked.At
		r.options = edit{from: at, to: at + len(asked.Value), text: "true"}
	case "":
		text := `"include_usage":true`
		if len(fields) > 0 {
			text += ","
		}
		r.options = edit{from: options.At + 1, to: options.At + 1, text: text}
	}
	return nil
}

// Splice appends to dst the parts of the body to send: with another model (a JSON
// string) and with what asks for usage, else as it came. The parts share memory
// with body and model.
func (r *Request) Splice(dst [][]byte, body, model []byte) [][]byte {
	edits := [2]edit{r.model, r.options}
	texts := [2][]byte{model, []byte(r.options.text)}
	if r.options.text != "" && r.options.from < r.model.from {
		edits[0], edits[1] = edits[1], edits[0]
		texts[0], texts[1] = texts[1], texts[0]
	}
	at := 0
	for i, e := range edits {
		if len(texts[i]) == 0 {
			continue
		}
		dst = append(dst, body[at:e.from], texts[i])
		at = e.to
	}
	return append(dst, body[at:])
}
