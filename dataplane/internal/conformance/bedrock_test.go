package conformance_test

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/weirhq/weir/dataplane/llmtest"
)

func readBedrock(t *testing.T, request llmtest.Request) arrived {
	t.Helper()
	body := gjson.ParseBytes(request.Body)
	model, method, _ := strings.Cut(strings.TrimPrefix(request.Path, "/model/"), "/")
	a := arrived{Model: model, Stream: method == "converse-stream", Max: body.Get("inferenceConfig.maxTokens").Int(),
		Tools: map[string]string{}, Results: map[string]string{}, System: texts(body.Get("system"))}
	for _, message := range body.Get("messages").Array() {
		if said := texts(message.Get("content")); said != "" && message.Get("role").Str == "user" {
			a.Users = append(a.Users, said)
		}
		if message.Get("role").Str == "assistant" {
			a.Said += texts(message.Get("content"))
		}
		for _, block := range message.Get("content").Array() {
			a.bedrock(t, block)
		}
	}
	for _, tool := range body.Get("toolConfig.tools").Array() {
		a.Tools[tool.Get("toolSpec.name").Str] = canonical(t, tool.Get("toolSpec.inputSchema.json").Raw)
	}
	if schema := body.Get("outputConfig.textFormat.structure.jsonSchema.schema"); schema.Exists() {
		a.Schema = canonical(t, schema.Str)
	} else if chosen := body.Get("toolConfig.toolChoice.tool.name"); chosen.Exists() { // which stands for it
		a.Schema = a.Tools[chosen.Str]
	}
	for _, stop := range body.Get("inferenceConfig.stopSequences").Array() {
		a.Stop = append(a.Stop, stop.Str)
	}
	return a
}

func (a *arrived) bedrock(t *testing.T, block gjson.Result) {
	t.Helper()
	block.ForEach(func(kind, value gjson.Result) bool {
		switch kind.Str {
		case "image":
			a.Media = append(a.Media, "image/"+value.Get("format").Str+" "+value.Get("source.bytes").Str)
		case "document":
			a.Media = append(a.Media, "application/"+value.Get("format").Str+" "+value.Get("source.bytes").Str)
		case "toolUse":
			a.Calls = append(a.Calls, call{value.Get("toolUseId").Str, value.Get("name").Str, canonical(t, value.Get("input").Raw)})
		case "toolResult":
			a.Results[value.Get("toolUseId").Str] = texts(value.Get("content"))
		case "reasoningContent":
			a.Thinking = append(a.Thinking, value.Get("reasoningText.signature").Str)
		}
		return true
	})
}
