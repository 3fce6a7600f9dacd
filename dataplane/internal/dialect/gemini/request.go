// Package gemini knows the dialect of Google's Gemini API: generateContent and its
// stream. Where both sides speak it, it reads a few fields and passes the rest; else it
// turns requests, answers and streams into the canonical chat and back, also to count
// tokens. embedContent only passes. It sends nothing and decides nothing.
// Format: https://ai.google.dev/api/generate-content
package gemini

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

const generation = "generationConfig"

// ParseRequest reads a body, which it neither keeps nor changes. Invalid JSON, and fields
// that policy reads but that stand there twice, in both forms of their name or in other
// capitals, are refused: which of them an upstream would take can't be known.
// Model, method and whether it streams stand in the path: ParsePath.
func ParseRequest(body []byte) (dialect.Request, *Error) {
	request := dialect.Request{Choices: 1, AsksUsage: true}
	var space [16]jsonscan.Field
	files := false
	fields, err := jsonscan.Fields(space[:0], body, func(name []byte) {
		if field, file := fetches(name); field != "" {
			files = files || file
			request.Opens(field)
		}
	})
	if err != nil {
		return request, invalidJSON(fmt.Sprintf("The request body is not a JSON object: %s.", err))
	}
	found, refusal := pick(fields, "", "model", "generateContentRequest", "generationConfig", "serviceTier", "cachedContent", "requests", "tools")
	if refusal != nil {
		return request, refusal
	}
	request.SendsAudio = files && mayBeAudio(body)
	if found[4].Value != nil {
		request.Opens("cachedContent")
	}
	request.ServiceTier = jsonscan.Text(found[3].Value)
	if grounds(found[6].Value) {
		request.Unprices("tools")
	}
	if request.Models, refusal = modelsIn(found[0], found[1], found[5]); refusal != nil {
		return request, refusal
	}
	request.Fields.MaxOutput, request.Fields.Choices = generation+".maxOutputTokens", generation+".candidateCount"
	if config := found[2]; config.Value != nil && string(config.Value) != "null" {
		return request, readBounds(&request, config)
	}
	request.Caps.Own = newConfig(found[2], len(fields) == 0, bytes.IndexByte(body, '{')+1)
	return request, nil
}

// newConfig is the place of a generationConfig that is null, or not there. alone: nothing
// else is.
func newConfig(config jsonscan.Field, alone bool, first int) dialect.Slot {
	slot := dialect.Slot{From: first, To: first, Before: `"` + generation + `":{"maxOutputTokens":`, After: "},"}
	if alone {
		slot.After = "}"
	}
	if config.Value != nil {
		slot = dialect.Slot{From: config.At, To: config.At + len(config.Value), Before: `{"maxOutputTokens":`, After: "}"}
	}
	return slot
}

// readBounds reads generationConfig. Where it is no object, it is the upstream's to refuse, and
// no cap can be put into it.
func readBounds(r *dialect.Request, config jsonscan.Field) *Error {
	var space [24]jsonscan.Field
	fields, notObject := jsonscan.Fields(space[:0], config.Value, nil)
	if notObject != nil {
		r.MaxOutput = dialect.Unknown
		return nil //nolint:nilerr // it is the upstream's to refuse
	}
	found, refusal := pick(fields, generation+".", "maxOutputTokens", "candidateCount", "responseModalities", "speechConfig")
	if refusal != nil {
		return refusal
	}
	r.MaxOutput = whole(found[0].Value, 0)
	r.Caps.Own = dialect.NewSlot(found[0].Value, config.At+found[0].At, config.At+1, `"maxOutputTokens":`)
	if len(fields) == 0 {
		r.Caps.Own.After = ""
	}
	if r.Choices = whole(found[1].Value, 1); r.Choices == 0 {
		r.Choices = dialect.Unknown
	}
	modalities, speech := bytes.ToUpper(found[2].Value), found[3].Value
	escaped := bytes.IndexByte(modalities, '\\') >= 0
	r.AsksAudio = escaped || bytes.Contains(modalities, []byte("AUDIO")) || len(speech) > 0 && string(speech) != "null"
	r.AsksImages = escaped || bytes.Contains(modalities, []byte("IMAGE"))
	return nil
}

// whole reads a number, which may stand in quotes; absent and null give the default.
func whole(value []byte, absent int64) int64 {
	if len(value) == 0 || string(value) == "null" {
		return absent
	}
	n, err := strconv.ParseInt(string(bytes.Trim(value, `"`)), 10, 32)
	if err != nil || n < 0 {
		return dialect.Unknown
	}
	return n
}

const maxPicked = 7

// pick finds fields by name, in either form.
func pick(fields []jsonscan.Field, prefix string, names ...string) ([maxPicked]jsonscan.Field, *Error) {
	var found [maxPicked]jsonscan.Field
	for _, field := range fields {
		name := jsonscan.Plain(field.Name)
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

// fetches names the field by which a file, or a tool of the server, may be billed as more
// tokens than it has bytes, and tells whether it is a file; else it is empty. An escaped name
// might be any of them.
func fetches(name []byte) (field string, file bool) {
	if bytes.IndexByte(name, '\\') >= 0 {
		return dialect.EscapedName, true
	}
	switch string(name) {
	case "inlineData", "inline_data":
		return "inlineData", true
	case "fileData", "file_data":
		return "fileData", true
	case "googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval", "urlContext", "url_context",
		"codeExecution", "code_execution", "fileSearch", "file_search", "googleMaps", "google_maps", "computerUse",
		"computer_use", "mcpServers", "mcp_servers", "retrieval":
		return "tools", false
	case "cachedContent", "cached_content":
		return "cachedContent", false
	}
	return "", false
}

// grounds tells whether a tool is among them that is billed by its queries, beside tokens.
// Source: https://ai.google.dev/gemini-api/docs/pricing
func grounds(tools []byte) bool {
	billed := false
	elements(tools, func(tool []byte) {
		rawObject(tool, func(name, _ []byte) {
			switch string(jsonscan.Plain(name)) {
			case "googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval", "googleMaps", "google_maps",
				"enterpriseWebSearch", "enterprise_web_search", "retrieval", "parallelAiSearch", "parallel_ai_search":
				billed = true
			}
		})
	})
	return billed
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
