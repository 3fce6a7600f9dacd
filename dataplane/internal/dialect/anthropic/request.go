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

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/jsonscan"
)

// besideTools is what tools that are offered add to a prompt, in tokens, at most: the
// provider writes a prompt of its own for them.
// Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview (Pricing)
const besideTools = 1000

// ParseRequest reads a body, which it neither keeps nor changes. Invalid JSON, and
// fields that policy reads but that stand there twice, or with other capitals, are
// refused: which of them an upstream would take can't be known.
func ParseRequest(body []byte) (dialect.Request, *Error) {
	request := dialect.Request{Choices: 1, AsksUsage: true}
	var space [32]jsonscan.Field
	fields, err := jsonscan.Fields(space[:0], body, func(name []byte) {
		if field := open(name); field != "" {
			request.Opens(field)
		}
	})
	if err != nil {
		return request, invalidJSON(fmt.Sprintf("The request body is not a JSON object: %s.", err))
	}
	found, refusal := pick(fields)
	if refusal != nil {
		return request, refusal
	}
	model := found[fieldModel]
	if request.Model = jsonscan.Text(model.Value); request.Model == "" {
		return request, &Error{Status: http.StatusBadRequest, Code: "model_missing", Param: "model",
			Message: "You must provide the model parameter: the name of a route, as a string."}
	}
	request.ModelAt = dialect.Edit{From: model.At, To: model.At + len(model.Value)}
	request.Stream = string(found[fieldStream].Value) == "true"
	readCap(&request, found[fieldMaxTokens], found[fieldThinking].Value, bytes.IndexByte(body, '{')+1)
	request.ServiceTier = jsonscan.Text(found[fieldServiceTier].Value) // not a string: the upstream's matter
	if speed := found[fieldSpeed].Value; other(speed, `"standard"`) {
		if request.ServiceTier = jsonscan.Text(speed); request.ServiceTier == "" {
			request.Unprices("speed")
		}
	}
	if request.Geo = jsonscan.Text(found[fieldGeo].Value); request.Geo == "" && said(found[fieldGeo].Value) {
		request.Unprices("inference_geo")
	}
	readTools(&request, found)
	return request, nil
}

func readTools(r *dialect.Request, found [maxFields]jsonscan.Field) {
	tools := found[fieldTools].Value
	if bytes.IndexByte(tools, '{') >= 0 {
		r.Beside = besideTools
	}
	described, looping := kinds(tools)
	if looping {
		r.Looped("tools")
	}
	switch {
	case described:
		r.Opens("tools")
	case said(found[fieldMCPServers].Value):
		r.Opens("mcp_servers")
		r.Looped("mcp_servers")
	case said(found[fieldContainer].Value):
		r.Opens("container")
	}
}

// readCap reads max_tokens, and how low it may be: a budget to think must be below it. Only
// with thinking between calls of tools may it be above, which a header that is not read here
// asks for.
// Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking
func readCap(r *dialect.Request, field jsonscan.Field, thinking []byte, first int) {
	r.MaxOutput, r.Fields.MaxOutput = whole(field.Value), "max_tokens"
	r.Caps.Own = dialect.NewSlot(field.Value, field.At, first, `"max_tokens":`)
	if len(thinking) == 0 || thinking[0] != '{' {
		return
	}
	var space [4]jsonscan.Field
	fields, _ := jsonscan.Fields(space[:0], thinking, nil) // it is a part of valid JSON
	for _, f := range fields {
		if string(jsonscan.Plain(f.Name)) == "budget_tokens" {
			r.Caps.Least = max(r.Caps.Least, whole(f.Value)+1)
		}
	}
}

func said(value []byte) bool { return len(value) > 0 && string(value) != "null" }

// other tells whether a field asks for what is not the usual, and billed at other rates.
func other(value []byte, usual string) bool { return said(value) && string(value) != usual }

// whole reads a number; absent and null give 0.
func whole(value []byte) int64 {
	if !said(value) {
		return 0
	}
	n, err := strconv.ParseInt(string(value), 10, 32)
	if err != nil || n < 0 {
		return dialect.Unknown
	}
	return n
}
