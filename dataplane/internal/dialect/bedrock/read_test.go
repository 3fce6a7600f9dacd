package bedrock_test

import (
	"testing"

	"github.com/tidwall/gjson"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// read is what a body says: the writer's way back, by another way.
func read(t *testing.T, model string, body []byte) *chat.Request {
	t.Helper()
	if !gjson.ValidBytes(body) {
		t.Fatalf("not JSON: %s", body)
	}
	root := gjson.ParseBytes(body)
	r := &chat.Request{Model: model, System: parts(t, root.Get("system"))}
	for _, message := range root.Get("messages").Array() {
		role := map[string]chat.Role{"user": chat.User, "assistant": chat.Assistant}[message.Get("role").Str]
		r.Messages = append(r.Messages, chat.Message{Role: role, Parts: parts(t, message.Get("content"))})
	}
	inference, fields := root.Get("inferenceConfig"), root.Get("additionalModelRequestFields")
	r.MaxOutput = inference.Get("maxTokens").Int()
	for _, stop := range inference.Get("stopSequences").Array() {
		r.Stop = append(r.Stop, stop.Str)
	}
	r.Sampling = chat.Sampling{Temperature: inference.Get("temperature").Raw, TopP: inference.Get("topP").Raw, TopK: fields.Get("top_k").Raw}
	readTools(r, root.Get("toolConfig"))
	if format := root.Get("outputConfig.textFormat.structure.jsonSchema"); format.Exists() {
		yes := true
		r.Format = chat.Format{Shape: chat.JSONSchema, Name: format.Get("name").Str, Schema: format.Get("schema").Str, Strict: &yes}
	}
	r.ServiceTier = root.Get("serviceTier.type").Str
	root.Get("requestMetadata").ForEach(func(key, value gjson.Result) bool {
		if r.Metadata == nil {
			r.Metadata = map[string]string{}
		}
		r.Metadata[key.Str] = value.Str
		return true
	})
	return r
}

func readTools(r *chat.Request, config gjson.Result) {
	for _, tool := range config.Get("tools").Array() {
		if point := tool.Get("cachePoint"); point.Exists() {
			r.Tools[len(r.Tools)-1].Cache = &chat.CacheMark{TTL: point.Get("ttl").Str}
			continue
		}
		spec := tool.Get("toolSpec")
		read := chat.Tool{Name: spec.Get("name").Str, Description: spec.Get("description").Str, Schema: spec.Get("inputSchema.json").Raw}
		if strict := spec.Get("strict"); strict.Exists() {
			yes := strict.Bool()
			read.Strict = &yes
		}
		r.Tools = append(r.Tools, read)
	}
	choice := config.Get("toolChoice")
	switch {
	case choice.Get("auto").Exists():
		r.ToolChoice.Choose = chat.Auto
	case choice.Get("any").Exists():
		r.ToolChoice.Choose = chat.Any
	case choice.Get("tool").Exists():
		r.ToolChoice = chat.ToolChoice{Choose: chat.Named, Name: choice.Get("tool.name").Str}
	}
}

var types = map[string]string{"webp": "image/webp", "md": "text/markdown", "flac": "audio/flac"}

func parts(t *testing.T, blocks gjson.Result) (read []chat.Part) {
	t.Helper()
	for _, block := range blocks.Array() {
		for name, value := range block.Map() {
			switch name {
			case "cachePoint":
				read[len(read)-1].Cache = &chat.CacheMark{TTL: value.Get("ttl").Str}
			case "text":
				read = append(read, chat.Part{Text: value.Str})
			case "image", "document", "audio":
				media := &chat.Media{Type: types[value.Get("format").Str], Name: value.Get("name").Str, Data: value.Get("source.bytes").Str, URL: value.Get("source.s3Location.uri").Str}
				kind := map[string]chat.Kind{"image": chat.Image, "document": chat.Document, "audio": chat.Audio}[name]
				read = append(read, chat.Part{Kind: kind, Media: media})
			case "toolUse":
				read = append(read, chat.Part{Kind: chat.Call, Call: &chat.ToolCall{ID: value.Get("toolUseId").Str, Name: value.Get("name").Str, Arguments: value.Get("input").Raw}})
			case "toolResult":
				result := &chat.ToolResult{CallID: value.Get("toolUseId").Str, Failed: value.Get("status").Str == "error", Parts: parts(t, value.Get("content"))}
				read = append(read, chat.Part{Kind: chat.Result, Result: result})
			case "reasoningContent":
				text := value.Get("reasoningText")
				part := chat.Part{Kind: chat.Thinking, Text: text.Get("text").Str, Signature: text.Get("signature").Str}
				if redacted := value.Get("redactedContent"); redacted.Exists() {
					part = chat.Part{Kind: chat.Redacted, Data: redacted.Str}
				}
				read = append(read, part)
			default:
				t.Fatalf("unknown block %s", block.Raw)
			}
		}
	}
	return read
}
