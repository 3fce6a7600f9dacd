// Package metered is OpenAI's endpoints beside chats where both sides speak them:
// embeddings, legacy completions, images, speech, transcriptions and moderations. Of
// requests it reads what policy needs, in JSON or as a form, of answers their usage where
// they have one. Errors and end marks are those of chats.
// Format: https://platform.openai.com/docs/api-reference
package metered

import (
	"net/http"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/form"
)

// Places of the fields that are read of requests in JSON and of forms.
const (
	fieldModel = iota
	fieldStream
	fieldN
	fieldInput
	fieldStreamFormat
	maxFields
)

var fieldNames = []string{"model", "stream", "n", "input", "stream_format"}

// parse reads a request of either type.
func parse(contentType string, body []byte) (dialect.Request, [maxFields]jsonscan.Field, *dialect.Refusal) {
	request := dialect.Request{Choices: 1}
	var found [maxFields]jsonscan.Field
	var refusal *openai.Error
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(contentType)), "multipart/") {
		request.Form = true
		refusal = readForm(&request, &found, form.Boundary(contentType), body)
	} else {
		refusal = readJSON(&request, &found, body)
	}
	if refusal == nil {
		request.Fields.Choices = "n"
		request.Stream = string(found[fieldStream].Value) == "true"
		if request.Choices = openai.Whole(found[fieldN].Value, 1); request.Choices == 0 {
			request.Choices = dialect.Unknown
		}
	}
	return request, found, (*dialect.Refusal)(refusal)
}

func readJSON(r *dialect.Request, found *[maxFields]jsonscan.Field, body []byte) *openai.Error {
	var space [32]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], body, nil)
	if err != nil {
		return openai.NotJSON(err)
	}
	if refusal := openai.Pick(found[:], fields, fieldNames); refusal != nil {
		return refusal
	}
	return openai.ReadModel(r, found[fieldModel])
}

func readForm(r *dialect.Request, found *[maxFields]jsonscan.Field, boundary string, body []byte) *openai.Error {
	if boundary == "" {
		return invalidForm("", "The Content-Type of this form names no boundary, or is not multipart/form-data.")
	}
	var ambiguous *openai.Error
	err := form.Fields(body, boundary, func(f form.Field) *form.Error {
		ambiguous = openai.Pick(found[:], []jsonscan.Field{{Name: []byte(f.Name), Value: f.Value, At: f.At}}, fieldNames)
		if ambiguous != nil {
			return &form.Error{}
		}
		return nil
	})
	model := found[fieldModel]
	switch {
	case ambiguous != nil:
		return ambiguous
	case err != nil:
		return invalidForm(err.Field, err.Message)
	case len(model.Value) == 0:
		return openai.ModelMissing()
	}
	r.Model = string(model.Value)
	r.ModelAt = dialect.Edit{From: model.At, To: model.At + len(model.Value)}
	return nil
}

func invalidForm(field, message string) *openai.Error {
	return &openai.Error{Status: http.StatusBadRequest, Code: "invalid_form", Param: field, Message: message}
}

// is tells a field of JSON, or of a form, that is a word.
func is(field jsonscan.Field, word string) bool {
	return string(field.Value) == word || jsonscan.Text(field.Value) == word
}
