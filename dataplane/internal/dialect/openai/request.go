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
		if field, audio := media(name); field != "" {
			request.Opens(field)
			request.SendsAudio = request.SendsAudio || audio
		}
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
	first := bytes.IndexByte(body, '{') + 1
	readBounds(&request, &found, first)
	readBeside(&request, &found)
	if string(found[fieldStream].Value) == "true" {
		request.Stream = true
		refusal = readOptions(&request, found[fieldStreamOptions], first)
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

func readBounds(r *dialect.Request, found *[maxFields]jsonscan.Field, first int) {
	readCaps(r, found[fieldMaxTokens], found[fieldMaxCompletionTokens], first)
	r.Fields.Choices = "n"
	if r.Choices = Whole(found[fieldN].Value, 1); r.Choices == 0 {
		r.Choices = dialect.Unknown
	}
	r.ServiceTier = Tier(found[fieldServiceTier].Value)
	// https://developers.openai.com/api/docs/guides/predicted-outputs
	if prediction := found[fieldPrediction].Value; len(prediction) > 0 && string(prediction) != "null" {
		r.Fields.Predicts = "prediction"
	}
	voice, modalities := found[fieldAudio].Value, found[fieldModalities].Value
	r.AsksAudio = len(voice) > 0 && string(voice) != "null" ||
		bytes.Contains(modalities, []byte(`"audio"`)) || bytes.IndexByte(modalities, '\\') >= 0
}

// readBeside notes what is billed beside the model's tokens: the web that is searched, by OpenAI,
// by xAI and, among its plugins, by OpenRouter; other models that OpenRouter may ask instead, at
// their prices; and tools that an upstream runs, as those of Moonshot and Z.ai do.
// Source: https://platform.openai.com/docs/pricing (web search, per 1,000 calls)
// Source: https://docs.x.ai/docs/guides/live-search
// Source: https://openrouter.ai/docs/features/web-search
// Source: https://openrouter.ai/docs/guides/routing/model-fallbacks
// Source: https://platform.kimi.ai/docs/pricing/tools
func readBeside(r *dialect.Request, found *[maxFields]jsonscan.Field) {
	for _, at := range []int{fieldWebSearch, fieldSearch, fieldPlugins, fieldModels} {
		if value := string(found[at].Value); value != "" && value != "null" && value != "[]" {
			r.Opens(topFields[at])
			r.Unprices(topFields[at])
		}
	}
	if Hosted(found[fieldTools].Value, `"function"`, `"custom"`, "") {
		r.Opens("tools")
		r.Unprices("tools")
	}
}

// readCaps reads both fields that a cap can stand in: OpenAI's newer models refuse
// max_tokens, compatible servers may know nothing else.
func readCaps(r *dialect.Request, older, own jsonscan.Field, first int) {
	r.Caps.Own = dialect.NewSlot(own.Value, own.At, first, `"max_completion_tokens":`)
	r.Caps.Older = dialect.NewSlot(older.Value, older.At, first, `"max_tokens":`)
	low, high := Whole(older.Value, 0), Whole(own.Value, 0)
	if r.MaxOutput = max(low, high); low < 0 || high < 0 {
		r.MaxOutput = dialect.Unknown
	}
	r.Fields.MaxOutput = "max_completion_tokens"
	if low < 0 || high == 0 && r.Caps.Older.Said {
		r.Fields.MaxOutput = "max_tokens"
	}
}

// CapOf reads the cap of a dialect that has one field for it.
func CapOf(r *dialect.Request, field jsonscan.Field, body []byte, name, quoted string) {
	r.Caps = dialect.Caps{Own: dialect.NewSlot(field.Value, field.At, bytes.IndexByte(body, '{')+1, quoted)}
	r.MaxOutput, r.Fields.MaxOutput = Whole(field.Value, 0), name
}

// Tier is the service tier that a request asks for, as answers call it: what OpenAI sells as
// fast is answered as priority. Not a string: the upstream's matter.
// Source: https://platform.openai.com/docs/guides/fast-mode
func Tier(value []byte) string {
	if tier := jsonscan.Text(value); tier != "fast" {
		return tier
	}
	return "priority"
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
