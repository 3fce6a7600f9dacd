package gemini_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
)

func read(t *testing.T, body string) *chat.Request {
	t.Helper()
	request, fault := gemini.NewSurface().Request([]byte(body))
	if fault != nil {
		t.Fatalf("%s: %v", body, fault)
	}
	return request
}

// wire is a request as Google's documentation writes its parts, in both forms of names.
const wire = `{
  "system_instruction": {"parts": {"text": "Be brief."}},
  "contents": [
    {"role": "user", "parts": [{"text": "How high is it?"}, {"inline_data": {"mime_type": "image/png", "data": "aGk_-w"}}]},
    {"role": "model", "parts": [
      {"text": "Let me see.", "thought": true},
      {"functionCall": {"id": "c1", "name": "level", "args": {"weir": 3, "at": 1.50}}, "thoughtSignature": "c2ln"},
      {"functionCall": {"name": "flow"}}]},
    {"role": "user", "parts": [
      {"text": "And now?"},
      {"functionResponse": {"name": "flow", "response": {"error": "no gauge"}}},
      {"functionResponse": {"id": "c1", "name": "level", "response": {"metres": 2}, "parts": [{"inlineData": {"mimeType": "image/jpeg", "data": "aGk="}}]}}]}
  ],
  "tools": [{"functionDeclarations": [
    {"name": "level", "description": "of a weir", "parameters": {"type": "OBJECT", "properties": {"weir": {"type": "INTEGER", "nullable": true}, "min_items": {"type": "ARRAY", "items": {"type": "STRING", "format": "enum", "enum": ["a"]}, "minItems": "1"}}, "required": ["weir"]}},
    {"name": "flow", "parametersJsonSchema": {"type":"object", "additionalProperties": false}}]}, {"googleSearch": {}}],
  "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["flow"]}},
  "generationConfig": {
    "candidateCount": 2, "stopSequences": ["END"], "maxOutputTokens": 100, "temperature": 0.70, "topP": 1, "topK": 40,
    "presencePenalty": 0.1, "frequencyPenalty": -0.1, "seed": 7, "responseLogprobs": true, "logprobs": 2,
    "responseMimeType": "application/json", "responseSchema": {"type": "STRING"},
    "thinkingConfig": {"includeThoughts": true, "thinkingLevel": "LOW"}, "mediaResolution": "MEDIA_RESOLUTION_LOW"
  },
  "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
  "labels": {"display_name": "a"}, "serviceTier": "flex", "newField": 1
}`

func TestSurfaceReadsARequest(t *testing.T) {
	want := &chat.Request{
		System: []chat.Part{{Text: "Be brief."}},
		Messages: []chat.Message{
			{Role: chat.User, Parts: []chat.Part{{Text: "How high is it?"}, {Kind: chat.Image, Media: &chat.Media{Type: "image/png", Data: "aGk/+w=="}}}},
			{Role: chat.Assistant, Parts: []chat.Part{
				{Kind: chat.Thinking, Text: "Let me see."},
				{Kind: chat.Call, Signature: "c2ln", Call: &chat.ToolCall{ID: "c1", Name: "level", Arguments: `{"weir": 3, "at": 1.50}`}},
				{Kind: chat.Call, Call: &chat.ToolCall{ID: "weir_call_1", Name: "flow", Arguments: `{}`}},
			}},
			{Role: chat.User, Parts: []chat.Part{
				{Kind: chat.Result, Result: &chat.ToolResult{CallID: "weir_call_1", Name: "flow", Failed: true, Parts: []chat.Part{{Text: "no gauge"}}}},
				{Kind: chat.Result, Result: &chat.ToolResult{CallID: "c1", Name: "level", Parts: []chat.Part{
					{Text: `{"metres": 2}`}, {Kind: chat.Image, Media: &chat.Media{Type: "image/jpeg", Data: "aGk="}}}}},
				{Text: "And now?"},
			}},
		},
		Tools: []chat.Tool{
			{Name: "level", Description: "of a weir", Schema: `{"properties":{"weir":{"type":["integer","null"]},"min_items":{"items":{"type":"string","enum":["a"]},"minItems":1,"type":"array"}},"required":["weir"],"type":"object"}`},
			{Name: "flow", Schema: `{"type":"object", "additionalProperties": false}`},
		},
		ToolChoice: chat.ToolChoice{Choose: chat.Named, Name: "flow"},
		Format:     chat.Format{Shape: chat.JSONSchema, Schema: `{"type":"string"}`},
		MaxOutput:  100, N: 2, Stop: []string{"END"}, Logprobs: true, TopLogprobs: 2, ServiceTier: "flex",
		Sampling:  chat.Sampling{Temperature: "0.70", TopP: "1", TopK: "40", PresencePenalty: "0.1", FrequencyPenalty: "-0.1", Seed: "7"},
		Reasoning: chat.Reasoning{Effort: "low", Summary: true},
		Metadata:  map[string]string{"display_name": "a"},
		Lossy:     chat.Lossy{"tools.googleSearch", "generationConfig.mediaResolution", "safetySettings", "newField"},
	}
	if diff := cmp.Diff(want, read(t, wire)); diff != "" {
		t.Error(diff)
	}
}

func TestSurfaceReadsVariants(t *testing.T) {
	for name, test := range map[string]struct {
		body  string
		check func(r *chat.Request) bool
	}{
		"thinking_off":  {`"generationConfig":{"thinkingConfig":{"thinkingBudget":0}}`, func(r *chat.Request) bool { return r.Reasoning.Effort == "none" }},
		"thinking_free": {`"generationConfig":{"thinkingConfig":{"thinkingBudget":-1}}`, func(r *chat.Request) bool { return r.Reasoning.Budget == chat.Unbounded }},
		"allowed": {`"tools":[{"functionDeclarations":[{"name":"a"},{"name":"b"},{"name":"c"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["a","b"]}}`,
			func(r *chat.Request) bool {
				return len(r.Tools) == 2 && r.Tools[1].Name == "b" && r.ToolChoice.Choose == chat.Any
			}},
		"validated":   {`"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}}`, func(r *chat.Request) bool { return r.ToolChoice.Choose == chat.Auto && len(r.Lossy) == 1 }},
		"json_object": {`"generationConfig":{"responseMimeType":"application/json"}`, func(r *chat.Request) bool { return r.Format.Shape == chat.JSONObject }},
		"enum":        {`"generationConfig":{"responseMimeType":"text/x.enum","responseSchema":{"type":"STRING"}}`, func(r *chat.Request) bool { return r.Format.Shape == chat.Free && len(r.Lossy) == 2 }},
		"voice":       {`"generationConfig":{"responseModalities":["TEXT","AUDIO"]}`, func(r *chat.Request) bool { return r.Lossy[0] == "generationConfig.responseModalities" }},
		"null_among_them": {`"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"STRING","enum":["a"],"nullable":true}}`,
			func(r *chat.Request) bool { return r.Format.Schema == `{"type":["string","null"],"enum":["a",null]}` }},
		"nulls":          {`"tools":null,"generationConfig":{"topK":null},"systemInstruction":null`, func(r *chat.Request) bool { return r.Sampling.TopK == "" && r.Lossy == nil }},
		"number_in_text": {`"generationConfig":{"seed":"12","maxOutputTokens":8.0}`, func(r *chat.Request) bool { return r.Sampling.Seed == "12" && r.MaxOutput == 8 }},
	} {
		t.Run(name, func(t *testing.T) {
			if r := read(t, `{"contents":[{"parts":[{"text":"a"}]}],`+test.body+`}`); !test.check(r) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestSurfaceNamesFaults(t *testing.T) {
	content := func(parts string) string { return `{"contents":[{"parts":[{"text":"a"},` + parts + `]}]}` }
	for body, field := range map[string]string{
		`[]`:                                 "",
		`{`:                                  "",
		`{}`:                                 "contents",
		`{"contents":[]}`:                    "contents",
		`{"contents":[{"parts":[]}]}`:        "contents[0].parts",
		`{"contents":[7]}`:                   "contents[0]",
		content(`7`):                         "contents[0].parts[1]",
		content(`{"text":7}`):                "contents[0].parts[1].text",
		content(`{"thought":"x","text":""}`): "contents[0].parts[1].thought",
		content(`{"text":"a","functionCall":{"name":"a"}}`):                                       "contents[0].parts[1]",
		content(`{"inlineData":{"data":"YQ=="}}`):                                                 "contents[0].parts[1].inlineData.mimeType",
		content(`{"inlineData":{"mimeType":"image/png"}}`):                                        "contents[0].parts[1].inlineData",
		content(`{"fileData":{"fileUri":"gs://a/b"}}`):                                            "contents[0].parts[1].fileData.fileUri",
		content(`{"functionCall":{"args":{}}}`):                                                   "contents[0].parts[1].functionCall.name",
		content(`{"functionCall":{"name":"a","args":[]}}`):                                        "contents[0].parts[1].functionCall.args",
		content(`{"functionResponse":{"name":"a","response":{}}}`):                                "contents[0].parts[1].functionResponse.id",
		content(`{"functionResponse":{"id":"1","name":"a","response":"x"}}`):                      "contents[0].parts[1].functionResponse.response",
		`{"contents":[{"role":"system","parts":[{"text":"a"}]}]}`:                                 "contents[0].role",
		`{"systemInstruction":{"parts":[{"inlineData":{"mimeType":"a/b","data":"YQ=="}}]}}`:       "systemInstruction.parts[0]",
		`{"tools":[{"functionDeclarations":[{"description":"a"}]}]}`:                              "tools[0].functionDeclarations[0].name",
		`{"tools":[{"functionDeclarations":[{"name":"a","parameters":{"properties":{"b":7}}}]}]}`: "tools[0].functionDeclarations[0].parameters.properties.b",
		`{"toolConfig":{"functionCallingConfig":{"mode":"SOME"}}}`:                                "toolConfig.functionCallingConfig.mode",
		`{"generationConfig":{"topP":"much"}}`:                                                    "generationConfig.topP",
		`{"generationConfig":{"candidateCount":0}}`:                                               "generationConfig.candidateCount",
		`{"generationConfig":{"maxOutputTokens":1.5}}`:                                            "generationConfig.maxOutputTokens",
		`{"generationConfig":{"thinkingConfig":{"thinkingBudget":-2}}}`:                           "generationConfig.thinkingConfig.thinkingBudget",
		`{"generationConfig":{"stopSequences":["a",1]}}`:                                          "generationConfig.stopSequences[1]",
		`{"generationConfig":[]}`:                                                                 "generationConfig",
		`{"cachedContent":"cachedContents/a"}`:                                                    "cachedContent",
	} {
		_, fault := gemini.NewSurface().Request([]byte(body))
		if fault == nil || fault.Field != field || fault.Message == "" {
			t.Errorf("%s: %v, want the field %q", body, fault, field)
		}
	}
}

func answer() *chat.Answer {
	return &chat.Answer{ID: "r1", Model: "up", Choices: []chat.Choice{
		{Stop: chat.StopTools, Parts: []chat.Part{
			{Kind: chat.Thinking, Text: "hm", Signature: "c2ln"}, {Text: "so <b>"},
			{Kind: chat.Call, Call: &chat.ToolCall{ID: "c1", Name: "level", Arguments: `{"weir": 1.0}`}}}},
		{Stop: chat.StopLength, Parts: []chat.Part{{Kind: chat.Refusal, Text: "no"}}, Logprobs: `{"content":[{"token":"no","logprob":-0.50,"bytes":[110],"top_logprobs":[{"token":"ja","logprob":-1}]}],"refusal":null}`},
	}, Usage: chat.Usage{Tokens: &tokens, ServiceTier: "default"}}
}

func TestSurfaceWritesAnAnswer(t *testing.T) {
	body, lossy := gemini.NewSurface().Answer(answer())
	want := `{"candidates":[` +
		`{"content":{"parts":[{"text":"hm","thought":true,"thoughtSignature":"c2ln"},{"text":"so <b>"},{"functionCall":{"id":"c1","name":"level","args":{"weir": 1.0}}}],"role":"model"},"finishReason":"STOP","index":0},` +
		`{"content":{"parts":[{"text":"no"}],"role":"model"},"finishReason":"MAX_TOKENS","index":1,"logprobsResult":{"chosenCandidates":[{"token":"no","logProbability":-0.50}],"topCandidates":[{"candidates":[{"token":"ja","logProbability":-1}]}]}}],` +
		`"usageMetadata":{"promptTokenCount":21,"candidatesTokenCount":9,"totalTokenCount":36,"cachedContentTokenCount":2,"thoughtsTokenCount":6,` +
		`"promptTokensDetails":[{"modality":"TEXT","tokenCount":14},{"modality":"AUDIO","tokenCount":7}],"candidatesTokensDetails":[{"modality":"TEXT","tokenCount":1},{"modality":"AUDIO","tokenCount":8}],"serviceTier":"default"},` +
		`"modelVersion":"up","responseId":"r1"}` + "\n"
	if string(body) != want {
		t.Errorf("body\n%s, want\n%s", body, want)
	}
	if diff := cmp.Diff(chat.Lossy{"usage.cache_write"}, lossy); diff != "" {
		t.Error(diff)
	}
}

func TestSurfaceSaysThatACallIsBroken(t *testing.T) {
	body, _ := gemini.NewSurface().Answer(&chat.Answer{Choices: []chat.Choice{{Stop: chat.StopTools, Parts: []chat.Part{
		{Kind: chat.Call, Call: &chat.ToolCall{Name: "level", Arguments: `{"weir":`}}}}}})
	want := `{"candidates":[{"content":{"parts":[],"role":"model"},"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"Malformed function call: level({\"weir\":)","index":0}]}` + "\n"
	if string(body) != want {
		t.Errorf("body\n%s, want\n%s", body, want)
	}
}

func steps() []chat.Event {
	return []chat.Event{
		{Begin: &chat.Begin{ID: "r1", Model: "up"}}, {Ping: true},
		{Open: &chat.Open{Part: chat.Part{Kind: chat.Thinking}}},
		{Delta: &chat.Delta{Text: "h"}}, {Delta: &chat.Delta{Signature: "c2ln"}}, {Close: &chat.Close{}},
		{Open: &chat.Open{Index: 1, Part: chat.Part{Kind: chat.Call, Call: &chat.ToolCall{ID: "c1", Name: "level"}}}},
		{Delta: &chat.Delta{Index: 1, Arguments: `{"a"`}}, {Delta: &chat.Delta{Index: 1, Arguments: `:1}`}}, {Close: &chat.Close{Index: 1}},
		{End: &chat.End{Stop: chat.StopTools}},
		{Usage: &chat.Usage{Tokens: &tokens}},
	}
}

func written(s *gemini.Surface, events []chat.Event) string {
	var b []byte
	for _, e := range events {
		b = s.Event(b, e)
	}
	return string(s.Finish(b))
}

func TestSurfaceWritesAStream(t *testing.T) {
	chunk := func(part string) string {
		return `{"candidates":[{"content":{"parts":[` + part + `],"role":"model"},"index":0}],"modelVersion":"up","responseId":"r1"}`
	}
	want := []string{
		chunk(`{"text":"h","thought":true}`),
		chunk(`{"text":"","thought":true,"thoughtSignature":"c2ln"}`),
		chunk(`{"functionCall":{"id":"c1","name":"level","args":{"a":1}}}`),
		`{"candidates":[{"content":{"parts":[],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":21,"candidatesTokenCount":9,"totalTokenCount":36,"cachedContentTokenCount":2,"thoughtsTokenCount":6,` +
			`"promptTokensDetails":[{"modality":"TEXT","tokenCount":14},{"modality":"AUDIO","tokenCount":7}],"candidatesTokensDetails":[{"modality":"TEXT","tokenCount":1},{"modality":"AUDIO","tokenCount":8}]},"modelVersion":"up","responseId":"r1"}`,
	}
	if diff := cmp.Diff("data: "+strings.Join(want, "\r\n\r\ndata: ")+"\r\n\r\n", written(gemini.NewSurface(), steps())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("["+strings.Join(want, ",\r\n")+"]", written(gemini.NewArraySurface(), steps())); diff != "" {
		t.Error(diff)
	}
}

func TestSurfaceEndsAStreamThatFails(t *testing.T) {
	broken := steps()[:5]
	broken[4] = chat.Event{Failure: &chat.Failure{Status: 529, Type: "overloaded_error", Message: "busy"}}
	got := written(gemini.NewSurface(), broken)
	want := `data: {"error":{"code":529,"message":"busy","status":"UNAVAILABLE","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"overloaded_error"}]}}` + "\r\n\r\n"
	if !strings.HasSuffix(got, "\r\n\r\n"+want) {
		t.Errorf("%s, want it to end in\n%s", got, want)
	}
	if array := written(gemini.NewArraySurface(), broken); !strings.HasSuffix(array, `}]}}]`) || array[0] != '[' {
		t.Error(array)
	}
	if empty := written(gemini.NewArraySurface(), nil); empty != `[{"candidates":[]}]` {
		t.Error(empty)
	}
}

func TestSurfaceNamesFields(t *testing.T) {
	got := gemini.NewSurface().Names(chat.Lossy{"top_k", "messages.thinking", "messages.redacted_thinking", "logit_bias"})
	if diff := cmp.Diff(chat.Lossy{"generationConfig.topK", "contents.parts.thought", "logit_bias"}, got); diff != "" {
		t.Error(diff)
	}
}
