// Package gemini knows the dialect of Google's Gemini API: generateContent and its
// stream. Where both sides speak it, it reads a few fields and passes the rest; else it
// turns requests, answers and streams into the canonical chat and back. countTokens and
// embedContent only pass. It sends nothing and decides nothing.
// Format: https://ai.google.dev/api/generate-content
package gemini

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

const generation = "generationConfig"

// Unknown is a bound that could not be read.
const Unknown = -1

// Request is what policy needs of a request's body. Model, method and whether it streams
// stand in the path: ParsePath.
type Request struct {
	// MaxOutput is the caller's cap on the output tokens of one candidate, thoughts
	// among them; 0: none. Unknown where it is not a whole number.
	MaxOutput int64
	// Choices is candidateCount, at least 1, or Unknown.
	Choices int64
	// ServiceTier as the caller wrote it, empty when it is not a string.
	ServiceTier string
	// OpenEnded: parts of the prompt may be billed as more tokens than they have bytes:
	// files, cached content, what tools of the server fetch.
	OpenEnded bool
	// SendsAudio: parts of the prompt may be audio. AsksAudio: the answer may be.
	SendsAudio, AsksAudio bool

	models []edit
}

// edit replaces body[from:to], the name of a model.
type edit struct{ from, to int }

// ParseRequest reads a body, which it neither keeps nor changes. Invalid JSON, and fields
// that policy reads but that stand there twice, in both forms of their name or in other
// capitals, are refused: which of them an upstream would take can't be known.
func ParseRequest(body []byte) (Request, *Error) {
	request := Request{Choices: 1}
	var space [16]jsonscan.Field
	files := false
	fields, err := jsonscan.Fields(space[:0], body, func(name []byte) {
		file, open := fetches(name)
		files = files || file
		request.OpenEnded = request.OpenEnded || open
	})
	if err != nil {
		return request, invalidJSON(fmt.Sprintf("The request body is not a JSON object: %s.", err))
	}
	found, refusal := pick(fields, "", "model", "generateContentRequest", "generationConfig", "serviceTier", "cachedContent")
	if refusal != nil {
		return request, refusal
	}
	request.SendsAudio = files && mayBeAudio(body)
	request.OpenEnded = request.OpenEnded || found[4].Value != nil
	request.ServiceTier = text(found[3].Value)
	request.model(found[0], 0)
	if refusal := request.counted(found[1]); refusal != nil {
		return request, refusal
	}
	return request, request.readBounds(found[2])
}

// counted reads the request whose tokens countTokens is to count; it names a model too.
func (r *Request) counted(inner jsonscan.Field) *Error {
	if inner.Value == nil {
		return nil
	}
	var space [16]jsonscan.Field
	fields, _ := jsonscan.Fields(space[:0], inner.Value, nil) // of another type: the upstream's to refuse
	found, refusal := pick(fields, "generateContentRequest.", "model")
	if refusal == nil {
		r.model(found[0], inner.At)
	}
	return refusal
}

// model plans that the name of a model follows the path's. base is where the object
// stands that has it.
func (r *Request) model(field jsonscan.Field, base int) {
	if len(field.Value) > 0 && field.Value[0] == '"' {
		at := base + field.At
		r.models = append(r.models, edit{from: at, to: at + len(field.Value)})
	}
}

func (r *Request) readBounds(config jsonscan.Field) *Error {
	if config.Value == nil {
		return nil
	}
	var space [24]jsonscan.Field
	fields, _ := jsonscan.Fields(space[:0], config.Value, nil) // as above
	found, refusal := pick(fields, generation+".", "maxOutputTokens", "candidateCount", "responseModalities", "speechConfig")
	if refusal != nil {
		return refusal
	}
	r.MaxOutput = whole(found[0].Value, 0)
	if r.Choices = whole(found[1].Value, 1); r.Choices == 0 {
		r.Choices = Unknown
	}
	modalities, speech := bytes.ToUpper(found[2].Value), found[3].Value
	r.AsksAudio = bytes.Contains(modalities, []byte("AUDIO")) || bytes.IndexByte(modalities, '\\') >= 0 ||
		len(speech) > 0 && string(speech) != "null"
	return nil
}

// whole reads a number, which may stand in quotes; absent and null give the default.
func whole(value []byte, absent int64) int64 {
	if len(value) == 0 || string(value) == "null" {
		return absent
	}
	n, err := strconv.ParseInt(string(bytes.Trim(value, `"`)), 10, 32)
	if err != nil || n < 0 {
		return Unknown
	}
	return n
}

const maxPicked = 5

// pick finds fields by name, in either form.
func pick(fields []jsonscan.Field, prefix string, names ...string) ([maxPicked]jsonscan.Field, *Error) {
	var found [maxPicked]jsonscan.Field
	for _, field := range fields {
		name := plain(field.Name)
		for i, known := range names {
			if !alike(name, known) {
				continue
			}
			if nameOf(name) != known || found[i].Value != nil {
				return found, &Error{Status: 400, Code: "invalid_json", Param: prefix + known,
					Message: fmt.Sprintf("The request body is ambiguous: %q stands there more than once or in other capitals.", prefix+known)}
			}
			found[i] = field
		}
	}
	return found, nil
}

// alike compares without regard to capitals and underscores.
func alike(name []byte, known string) bool {
	if len(name) > 2*len(known) {
		return false
	}
	return strings.EqualFold(strings.ReplaceAll(string(name), "_", ""), known)
}

// Splice appends to dst the parts of the body to send: with another model (a JSON string)
// where it names one, else as it came. The parts share memory with body and model.
func (r *Request) Splice(dst [][]byte, body, model []byte) [][]byte {
	at := 0
	edits := r.models
	if len(edits) == 2 && edits[0].from > edits[1].from {
		edits = []edit{edits[1], edits[0]}
	}
	for _, e := range edits {
		dst = append(dst, body[at:e.from], []byte(`"models/`), model[1:])
		at = e.to
	}
	return append(dst, body[at:])
}

// fetches tells by a field's name whether a part is a file, and whether it, or a tool of
// the server, may be billed as more tokens than it has bytes. An escaped name might be
// any of them.
func fetches(name []byte) (file, open bool) {
	if bytes.IndexByte(name, '\\') >= 0 {
		return true, true
	}
	switch string(name) {
	case "inlineData", "inline_data", "fileData", "file_data":
		return true, true
	case "googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval", "urlContext", "url_context",
		"codeExecution", "code_execution", "fileSearch", "file_search", "googleMaps", "google_maps", "computerUse",
		"computer_use", "mcpServers", "mcp_servers", "retrieval", "cachedContent", "cached_content":
		return false, true
	}
	return false, false
}

// mayBeAudio tells whether a body with files may have audio among them, a video's sound
// included: its type says so, or is not said in plain letters, or is not said.
func mayBeAudio(body []byte) bool {
	for _, sign := range []string{"audio", "video", `\u00`, "fileData", "file_data"} {
		if bytes.Contains(body, []byte(sign)) {
			return true
		}
	}
	return false
}
