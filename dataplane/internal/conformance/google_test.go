package conformance_test

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/weirhq/weir/dataplane/llmtest"
)

func readGemini(t *testing.T, request llmtest.Request) arrived {
	t.Helper()
	body := gjson.ParseBytes(request.Body)
	_, model, _ := strings.Cut(request.Path, "/models/")
	model, method, _ := strings.Cut(model, ":")
	config := body.Get("generationConfig")
	a := arrived{Model: model, Stream: method == "streamGenerateContent", Max: config.Get("maxOutputTokens").Int(),
		Tools: map[string]string{}, Results: map[string]string{}, System: texts(body.Get("systemInstruction.parts"))}
	for _, content := range body.Get("contents").Array() {
		if said := texts(content.Get("parts")); said != "" && content.Get("role").Str == "user" {
			a.Users = append(a.Users, said)
		}
		if content.Get("role").Str == "model" {
			a.Said += texts(content.Get("parts"))
		}
		for _, part := range content.Get("parts").Array() {
			a.gemini(t, part)
		}
	}
	for _, tool := range body.Get("tools.#.functionDeclarations|@flatten").Array() {
		a.Tools[tool.Get("name").Str] = canonical(t, tool.Get("parametersJsonSchema").Raw)
	}
	if schema := config.Get("responseJsonSchema"); schema.Exists() {
		a.Schema = canonical(t, schema.Raw)
	}
	for _, stop := range config.Get("stopSequences").Array() {
		a.Stop = append(a.Stop, stop.Str)
	}
	return a
}

func (a *arrived) gemini(t *testing.T, part gjson.Result) {
	t.Helper()
	if made := part.Get("functionCall"); made.Exists() {
		a.Calls = append(a.Calls, call{made.Get("id").Str, made.Get("name").Str, canonical(t, made.Get("args").Raw)})
	}
	if gave := part.Get("functionResponse"); gave.Exists() {
		gave.Get("response").ForEach(func(_, value gjson.Result) bool {
			a.Results[gave.Get("id").Str] += value.Str
			return true
		})
	}
	if media := part.Get("inlineData"); media.Exists() {
		a.Media = append(a.Media, media.Get("mimeType").Str+" "+media.Get("data").Str)
	}
	if signature := part.Get("thoughtSignature").Str; signature != "" {
		a.Thinking = append(a.Thinking, signature)
	}
}
