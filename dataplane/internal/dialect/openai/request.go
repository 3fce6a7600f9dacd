// Package openai knows the OpenAI chat dialect. Where both sides speak it, as far as
// policy needs: it reads a few fields of a request, changes bytes only where it must,
// finds usage in answers and shapes errors. Where one side does not, Surface and
// Provider turn it into the model of package chat and back. It sends nothing and
// decides nothing.
// Format: https://platform.openai.com/docs/api-reference/chat
package openai

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// ParseRequest reads a body, which it neither keeps nor changes. Invalid JSON, and
// fields that policy reads but that stand there twice, or with other capitals (some
// servers don't mind), are refused: which of them an upstream would take can't be
// known.
func ParseRequest(body []byte) (dialect.Request, *Error) {
	request := dialect.Request{Choices: 1}
	var space [32]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], body, func(name []byte) {
		open, audio := media(name)
		request.OpenEnded, request.SendsAudio = request.OpenEnded || open, request.SendsAudio || audio
	})
	if err != nil {
		return request, NotJSON(err)
	}
	var found [maxFields]jsonscan.Field
	refusal := Pick(found[:], fields, topFields)
	if refusal == nil {
		refusal = ReadModel(&request, found[fieldModel])
	}
	if refusal != nil {
		return request, refusal
	}
	readBounds(&request, &found)
	if string(found[fieldStream].Value) == "true" {
		request.Stream = true
		refusal = readOptions(&request, found[fieldStreamOptions], bytes.IndexByte(body, '{')+1)
	}
	return request, refusal
}

// ReadModel takes the model from its field.
func ReadModel(r *dialect.Request, model jsonscan.Field) *Error {
	if r.Model = jsonscan.Text(model.Value); r.Model == "" {
		return ModelMissing()
	}
	r.ModelAt = dialect.Edit{From: model.At, To: model.At + len(model.Value)}
	return nil
}

// ModelMissing refuses a request that names no route.
func ModelMissing() *Error {
	return &Error{Status: http.StatusBadRequest, Code: "model_missing", Param: "model",
		Message: "You must provide the model parameter: the name of a route, as a string."}
}

func readBounds(r *dialect.Request, found *[maxFields]jsonscan.Field) {
	r.MaxOutput = max(Whole(found[fieldMaxTokens].Value, 0), Whole(found[fieldMaxCompletionTokens].Value, 0))
	if Whole(found[fieldMaxTokens].Value, 0) < 0 || Whole(found[fieldMaxCompletionTokens].Value, 0) < 0 {
		r.MaxOutput = dialect.Unknown
	}
	if r.Choices = Whole(found[fieldN].Value, 1); r.Choices == 0 {
		r.Choices = dialect.Unknown
	}
	r.ServiceTier = jsonscan.Text(found[fieldServiceTier].Value) // not a string: the upstream's matter
	voice, modalities := found[fieldAudio].Value, found[fieldModalities].Value
	r.AsksAudio = len(voice) > 0 && string(voice) != "null" ||
		bytes.Contains(modalities, []byte(`"audio"`)) || bytes.IndexByte(modalities, '\\') >= 0
}

// Whole reads a number that is not negative, else Unknown; absent and null give the
// default.
func Whole(value []byte, absent int64) int64 {
	if len(value) == 0 || string(value) == "null" {
		return absent
	}
	n, err := strconv.ParseInt(string(value), 10, 32)
	if err != nil || n < 0 {
		return dialect.Unknown
	}
	return n
}

// readOptions plans how the upstream is asked for usage. first is where the
// body's first field begins. Options of a wrong type are the upstream's to refuse.
func readOptions(r *dialect.Request, options jsonscan.Field, first int) *Error {
	switch {
	case options.Value == nil:
		r.Options = dialect.Edit{From: first, To: first, Text: `"stream_options":{"include_usage":true},`}
		return nil
	case string(options.Value) == "null":
		r.Options = dialect.Edit{From: options.At, To: options.At + len(options.Value), Text: `{"include_usage":true}`}
		return nil
	case options.Value[0] != '{':
		return nil
	}
	var space [8]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], options.Value, nil)
	if err != nil {
		return invalidJSON("stream_options is not valid.")
	}
	var found [1]jsonscan.Field
	if refusal := Pick(found[:], fields, optionFields); refusal != nil {
		return refusal
	}
	asked := found[fieldIncludeUsage]
	switch string(asked.Value) {
	case "true":
		r.AsksUsage = true
	case "false", "null":
		at := options.At + asked.At
		r.Options = dialect.Edit{From: at, To: at + len(asked.Value), Text: "true"}
	case "":
		text := `"include_usage":true`
		if len(fields) > 0 {
			text += ","
		}
		r.Options = dialect.Edit{From: options.At + 1, To: options.At + 1, Text: text}
	}
	return nil
}
