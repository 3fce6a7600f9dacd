package anthropic

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// Places of the fields that policy reads.
const (
	fieldModel = iota
	fieldStream
	fieldMaxTokens
	fieldServiceTier
	fieldSpeed
	fieldGeo
	fieldTools
	fieldMCPServers
	fieldContainer
	fieldThinking
	maxFields
)

var topFields = [maxFields]string{"model", "stream", "max_tokens", "service_tier", "speed", "inference_geo", "tools", "mcp_servers", "container", "thinking"}

// pick finds fields by name. A field that is there twice, or as a name that
// differs only in case, is refused.
func pick(fields []jsonscan.Field) ([maxFields]jsonscan.Field, *Error) {
	var found [maxFields]jsonscan.Field
	for _, field := range fields {
		name := jsonscan.Plain(field.Name)
		for i, known := range topFields {
			if len(name) > len(known)+4 || !strings.EqualFold(string(name), known) {
				continue
			}
			if string(name) != known || found[i].Value != nil {
				return found, &Error{Status: http.StatusBadRequest, Code: "invalid_json", Param: known,
					Message: fmt.Sprintf("The request body is ambiguous: %q stands there more than once or in other capitals.", known)}
			}
			found[i] = field
		}
	}
	return found, nil
}

// open names the field by which a part of the prompt may be billed as more tokens than it
// has bytes, and is else empty: images, documents and files have a source. An escaped name
// might be any.
func open(name []byte) string {
	switch {
	case string(name) == "source":
		return "source"
	case string(name) == "file_id":
		return "file_id"
	case bytes.IndexByte(name, '\\') >= 0:
		return dialect.EscapedName
	}
	return ""
}

var typeName = []byte(`"type"`)

// kinds tells whether one of tools is not described by the caller: its type ends in a date
// (web_search_20250305), or is an MCP server's set; and whether one of those is looping: run
// by the provider, which asks the model again with what it gave.
// Source: https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview
func kinds(tools []byte) (described, looping bool) {
	if escapesType(tools) {
		return true, true
	}
	for {
		at := bytes.Index(tools, typeName)
		if at < 0 {
			return described, looping
		}
		tools = bytes.TrimLeft(tools[at+len(typeName):], ": \t\r\n")
		if len(tools) == 0 || tools[0] != '"' {
			continue
		}
		kind, _, _ := bytes.Cut(tools[1:], []byte{'"'})
		if dated(kind) || string(kind) == "mcp_toolset" || bytes.IndexByte(kind, '\\') >= 0 {
			described, looping = true, looping || !runByCaller(string(kind))
		}
	}
}

// escapesType tells whether a type's name is written with escapes: what it is of may be any.
func escapesType(tools []byte) (found bool) {
	if !bytes.Contains(tools, []byte(`\u00`)) { // its letters have no shorter escapes
		return false
	}
	_, _ = jsonscan.Fields(nil, slices.Concat([]byte(`{"":`), tools, []byte(`}`)), func(name []byte) { // a part of valid JSON
		found = found || bytes.IndexByte(name, '\\') >= 0 && string(jsonscan.Plain(name)) == "type"
	})
	return found
}

// runByCaller tells the tools that Anthropic describes and callers run.
func runByCaller(kind string) bool {
	for _, name := range []string{"bash_", "text_editor_", "computer_", "memory_"} {
		if strings.HasPrefix(kind, name) {
			return true
		}
	}
	return false
}

func dated(kind []byte) bool {
	at := bytes.LastIndexByte(kind, '_')
	digits := kind[at+1:]
	if at < 0 || len(digits) != len("20250305") {
		return false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
