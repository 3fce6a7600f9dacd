package llmtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

func (r *converseReader) toolUse(at string, use gjson.Result) {
	r.usesTools = true
	id := use.Get("toolUseId").Str
	if !toolUseID.MatchString(id) {
		r.fail("Value '%s' at '%s.toolUse.toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+", id, at)
	}
	if !use.Get("input").IsObject() {
		r.fail("The format of the value at %s.toolUse.input is invalid. Provide a json object for the field and try again.", at)
	}
	r.PromptTokens += CountWords(use.Get("input").Raw)
	r.asked = append(r.asked, id)
}

var resultMembers = strings.Fields("text json image document video searchResult")

func (r *converseReader) toolResult(at string, result gjson.Result) {
	r.usesTools = true
	asked := slices.Index(r.asked, result.Get("toolUseId").Str)
	if asked < 0 {
		r.fail("The number of toolResult blocks at %s exceeds the number of toolUse blocks of previous turn.", at)
		return
	}
	r.asked = slices.Delete(r.asked, asked, asked+1)
	if status := result.Get("status"); status.Exists() && status.Str != "success" && status.Str != "error" {
		r.fail("Value at '%s.toolResult.status' failed to satisfy constraint: Member must satisfy enum value set: [success, error]", at)
	}
	for i, block := range result.Get("content").Array() {
		r.content(fmt.Sprintf("%s.toolResult.content.%d", at, i), "tool", block, resultMembers)
	}
}

// toolConfig decides which tools are called: the one that is chosen, or those that the last message names.
func (r *converseReader) toolConfig(config gjson.Result) {
	r.only("toolConfig", config, []string{"tools", "toolChoice"})
	var tools []calledTool
	for i, tool := range config.Get("tools").Array() {
		at := fmt.Sprintf("toolConfig.tools.%d", i)
		switch kind, value := r.member(at, tool); kind {
		case "toolSpec":
			tools = append(tools, r.toolSpec(at, value))
		case "cachePoint":
			r.cachePoint(at, value)
		default:
			r.fail("The tool at %s is not known.", at)
		}
	}
	switch {
	case config.Exists() && len(tools) == 0:
		r.fail("Value at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case !config.Exists() && r.usesTools:
		r.fail("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
	}
	r.chooseTools(tools, config.Get("toolChoice"))
}

func (r *converseReader) toolSpec(at string, spec gjson.Result) calledTool {
	r.only(at+".toolSpec", spec, strings.Fields("name description inputSchema strict"))
	schema := spec.Get("inputSchema.json")
	if !toolUseID.MatchString(spec.Get("name").Str) || !schema.IsObject() {
		r.fail("The value at %s.toolSpec.inputSchema.json must be an object, and the tool must have a name.", at)
	}
	r.PromptTokens += CountWords(spec.Raw)
	return calledTool{spec.Get("name").Str, schema}
}

func (r *converseReader) chooseTools(tools []calledTool, choice gjson.Result) {
	kind := "auto"
	if choice.Exists() {
		kind, _ = r.member("toolConfig.toolChoice", choice)
	}
	for _, tool := range tools {
		switch {
		case kind == "any" && len(r.Calls) == 0,
			kind == "tool" && tool.name == choice.Get("tool.name").Str,
			kind == "auto" && slices.Contains(strings.Fields(r.LastUser), tool.name):
			r.Calls = append(r.Calls, tool)
		}
	}
	r.Forced = kind == "any" || kind == "tool"
	switch {
	case !r.Forced && kind != "auto":
		r.fail("Malformed input request: #/toolConfig/toolChoice: extraneous key [%s] is not permitted", kind)
	case r.Forced && len(r.Calls) == 0:
		r.fail("The toolChoice names a tool that is not in toolConfig.tools.")
	case r.Forced && r.Thinks:
		r.fail("Thinking may not be enabled when tool_choice forces tool use.")
	}
}

// output reads what the answer's text has to be. A schema is JSON in a string.
func (r *converseReader) output(config gjson.Result) {
	r.only("outputConfig", config, []string{"effort", "textFormat"})
	if effort := config.Get("effort"); effort.Exists() && !slices.Contains(strings.Fields("low medium high xhigh max"), effort.Str) {
		r.fail("The effort at outputConfig.effort is not supported.")
	}
	format := config.Get("textFormat")
	if !format.Exists() {
		return
	}
	definition := format.Get("structure.jsonSchema")
	r.only("outputConfig.textFormat.structure.jsonSchema", definition, strings.Fields("name description schema"))
	text := definition.Get("schema").Str
	r.Schema = gjson.Parse(text)
	if format.Get("type").Str != "json_schema" || !gjson.Valid(text) || !r.Schema.IsObject() {
		r.fail("The JSON schema at outputConfig.textFormat is not valid.")
	}
}

func (r *converseReader) others(root gjson.Result) {
	if tier := root.Get("serviceTier"); tier.Exists() {
		if r.tier = tier.Get("type").Str; !slices.Contains(converseTiers, r.tier) {
			r.fail("Value '%s' at 'serviceTier.type' failed to satisfy constraint: Member must satisfy enum value set: [priority, default, flex, reserved]", r.tier)
		}
	}
	if len(root.Get("requestMetadata").Map()) > 16 {
		r.fail("Value at 'requestMetadata' failed to satisfy constraint: Map must have length less than or equal to 16")
	}
	for _, path := range root.Get("additionalModelResponseFieldPaths").Array() {
		r.asksSequence = r.asksSequence || path.Str == "/stop_sequence"
	}
}
