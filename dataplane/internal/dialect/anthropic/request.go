// Package anthropic knows the dialect of Anthropic's messages. For bodies that pass
// through it reads the few fields that policy needs, changes bytes only where it must,
// finds usage in answers and shapes errors; NewSurface and NewProvider convert whole
// chats from and to the canonical model. It sends nothing and decides nothing.
// Format: https://platform.claude.com/docs/en/api/messages
package anthropic

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// Unknown is a bound that could not be read.
const Unknown = -1

// Request is what policy needs of the body of a messages or a count_tokens request.
type Request struct {
	Model  string
	Stream bool
	// MaxOutput is max_tokens, which bounds thinking too; 0: none, as in count_tokens.
	// Unknown where it is not a whole number.
	MaxOutput int64
	// ServiceTier and Speed as the caller wrote them, empty when they are no strings.
	// Both change the price.
	ServiceTier, Speed string
	// Tools: tools are offered, for which the provider adds a prompt of its own: up to a
	// thousand tokens that the body does not show.
	Tools bool
	// OpenEnded: parts of the prompt may be billed as more tokens than they have bytes:
	// images, documents and files, tools that the provider runs or describes itself.
	OpenEnded bool

	model edit
}

// edit replaces body[from:to].
type edit struct{ from, to int }

// ParseRequest reads a body, which it neither keeps nor changes. Invalid JSON, and
// fields that policy reads but that stand there twice, or with other capitals, are
// refused: which of them an upstream would take can't be known.
func ParseRequest(body []byte) (Request, *Error) {
	var request Request
	var space [32]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], body, func(name []byte) {
		request.OpenEnded = request.OpenEnded || open(name)
	})
	if err != nil {
		return request, invalidJSON(fmt.Sprintf("The request body is not a JSON object: %s.", err))
	}
	found, refusal := pick(fields)
	if refusal != nil {
		return request, refusal
	}
	model := found[fieldModel]
	if request.Model = text(model.Value); request.Model == "" {
		return request, &Error{Status: http.StatusBadRequest, Code: "model_missing", Param: "model",
			Message: "You must provide the model parameter: the name of a route, as a string."}
	}
	request.model = edit{from: model.At, to: model.At + len(model.Value)}
	request.Stream = string(found[fieldStream].Value) == "true"
	request.MaxOutput = whole(found[fieldMaxTokens].Value)
	request.ServiceTier = text(found[fieldServiceTier].Value) // not a string: the upstream's matter
	request.Speed = text(found[fieldSpeed].Value)
	request.readTools(found)
	return request, nil
}

func (r *Request) readTools(found [maxFields]jsonscan.Field) {
	tools := found[fieldTools].Value
	r.Tools = bytes.IndexByte(tools, '{') >= 0
	r.OpenEnded = r.OpenEnded || described(tools) ||
		said(found[fieldMCPServers].Value) || said(found[fieldContainer].Value)
}

func said(value []byte) bool { return len(value) > 0 && string(value) != "null" }

// whole reads a number; absent and null give 0.
func whole(value []byte) int64 {
	if !said(value) {
		return 0
	}
	n, err := strconv.ParseInt(string(value), 10, 32)
	if err != nil || n < 0 {
		return Unknown
	}
	return n
}

// Splice appends to dst the parts of the body to send: with another model (a JSON
// string), else as it came. The parts share memory with body and model.
func (r *Request) Splice(dst [][]byte, body, model []byte) [][]byte {
	return append(dst, body[:r.model.from], model, body[r.model.to:])
}
