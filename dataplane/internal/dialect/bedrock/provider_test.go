package bedrock_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/bedrock"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

const (
	sonnet   = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	opus     = "anthropic.claude-opus-4-8"
	haiku    = "anthropic.claude-3-haiku-20240307-v1:0"
	novaLite = "amazon.nova-lite-v1:0"
	novaTwo  = "global.amazon.nova-2-lite-v1:0"
	llama    = "us.meta.llama3-3-70b-instruct-v1:0"
	oss      = "openai.gpt-oss-120b-1:0"
	profile  = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/ab12"
)

func asked(t *testing.T, r *chat.Request) (string, chat.Lossy) {
	t.Helper()
	body, lossy, err := bedrock.NewProvider().Request(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), lossy
}

func hello(r chat.Request) *chat.Request {
	r.Messages = append(r.Messages, chat.Message{Parts: []chat.Part{{Text: "a"}}})
	return &r
}

func TestProviderWritesARequest(t *testing.T) {
	no, yes := false, true
	r := &chat.Request{
		Model: sonnet, Stream: true,
		System: []chat.Part{{Text: "Be\n\"brief\".", Cache: &chat.CacheMark{TTL: "1h"}}, {Text: ""}},
		Messages: []chat.Message{
			{Role: chat.User, Name: "ann", Parts: []chat.Part{{Text: "<a>", Cache: &chat.CacheMark{}}, {Kind: chat.Image, Media: &chat.Media{Type: "image/jpeg", Data: "aGk=", Detail: "high"}}}},
			{Role: chat.User, Parts: []chat.Part{
				{Kind: chat.Document, Media: &chat.Media{Type: "application/pdf", Data: "aGk=", Name: "level.pdf"}},
				{Kind: chat.Document, Media: &chat.Media{Type: "text/x-log; charset=utf-8", Data: "aGk=", Name: "level.log"}},
				{Kind: chat.Document, Media: &chat.Media{URL: "s3://bucket/flow.csv"}}}},
			{Role: chat.Instruction, Parts: []chat.Part{{Text: "Now shout."}}},
			{Role: chat.Assistant, Parts: []chat.Part{
				{Kind: chat.Thinking, Text: "hm", Signature: "c2ln"}, {Kind: chat.Thinking, Text: "lost"}, {Kind: chat.Redacted, Data: "cmVk"}, {Kind: chat.Redacted, Data: "no base64"}, {Text: ""},
				{Kind: chat.Call, Signature: "s", Call: &chat.ToolCall{ID: "call.1", Name: "f", Arguments: `{"n": 1.0}`}},
				{Kind: chat.Call, Call: &chat.ToolCall{ID: "2", Name: "g", Arguments: `{"n`}}}},
			{Role: chat.User, Parts: []chat.Part{{Kind: chat.Result, Result: &chat.ToolResult{CallID: "call.1", Parts: []chat.Part{{Text: "two"}, {Text: ""}, {Kind: chat.Image, Media: &chat.Media{Type: "image/png", Data: "aGk="}}}}}}},
			{Role: chat.User, Parts: []chat.Part{{Kind: chat.Result, Result: &chat.ToolResult{CallID: "2", Failed: true}, Cache: &chat.CacheMark{TTL: "5m"}}, {Kind: chat.Refusal, Text: "go on"}}},
			{Role: chat.Assistant, Parts: nil},
		},
		Tools:         []chat.Tool{{Name: "f", Description: "d", Schema: `{"type": "object"}`, Strict: &yes}, {Name: "g", Strict: &no, Cache: &chat.CacheMark{}}},
		ToolChoice:    chat.ToolChoice{Choose: chat.Named, Name: "f"},
		ParallelTools: &no, MaxOutput: 9, User: "u", ServiceTier: "standard", Stop: []string{"x"},
		Metadata: map[string]string{"b": "2", "a": "x:y"}, N: 2,
		Sampling: chat.Sampling{Temperature: "1.70", TopP: "0.90", TopK: "40", Seed: "7"},
	}
	body, lossy := asked(t, r)
	want := `{"system":[{"text":"Be\n\"brief\"."},{"cachePoint":{"type":"default","ttl":"1h"}},{"text":"Now shout."}],"messages":[` +
		`{"role":"user","content":[{"text":"<a>"},{"cachePoint":{"type":"default"}},{"image":{"format":"jpeg","source":{"bytes":"aGk="}}},` +
		`{"document":{"format":"pdf","name":"level","source":{"bytes":"aGk="}}},{"document":{"format":"txt","name":"level (2)","source":{"bytes":"aGk="}}},` +
		`{"document":{"format":"csv","name":"document","source":{"s3Location":{"uri":"s3://bucket/flow.csv"}}}}]},` +
		`{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"c2ln"}}},{"reasoningContent":{"redactedContent":"cmVk"}},` +
		`{"toolUse":{"toolUseId":"call_1","name":"f","input":{"n": 1.0}}},{"toolUse":{"toolUseId":"2","name":"g","input":{}}}]},` +
		`{"role":"user","content":[{"toolResult":{"toolUseId":"call_1","content":[{"text":"two"},{"image":{"format":"png","source":{"bytes":"aGk="}}}]}},` +
		`{"toolResult":{"toolUseId":"2","content":[],"status":"error"}},{"cachePoint":{"type":"default","ttl":"5m"}},{"text":"go on"}]}],` +
		`"inferenceConfig":{"maxTokens":9,"stopSequences":["x"],"temperature":1,"topP":0.90},` +
		`"toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type": "object"}},"strict":true}},{"toolSpec":{"name":"g","inputSchema":{"json":{"type":"object"}}}},{"cachePoint":{"type":"default"}}],"toolChoice":{"tool":{"name":"f"}}},` +
		`"additionalModelRequestFields":{"top_k":40},"additionalModelResponseFieldPaths":["/stop_sequence"],"serviceTier":{"type":"default"},"requestMetadata":{"a":"x:y","b":"2"}}`
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("%s\n%s", body, diff)
	}
	wantLossy := chat.Lossy{"messages.role", "messages.name", "messages.detail", "messages.media_type", "messages.document_name", "messages.thinking", "messages.redacted_thinking",
		"messages.signature", "messages.arguments", "messages.refusal", "temperature", "seed", "user", "n", "parallel_tools"}
	if diff := cmp.Diff(wantLossy, lossy); diff != "" {
		t.Error(diff)
	}
}

func TestProviderAsksForThinking(t *testing.T) {
	for name, test := range map[string]struct {
		r     chat.Request
		want  string
		lossy string
	}{
		"budget":           {chat.Request{Model: sonnet, Reasoning: chat.Reasoning{Budget: 2000}, Sampling: chat.Sampling{Temperature: "0.5", TopK: "3"}}, `,"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}}`, "temperature top_k"},
		"effort_as_budget": {chat.Request{Model: sonnet, Reasoning: chat.Reasoning{Effort: "medium"}}, `,"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":8192}}`, ""},
		"adaptive":         {chat.Request{Model: opus, Reasoning: chat.Reasoning{Effort: "xhigh", Summary: true}}, `,"outputConfig":{"effort":"xhigh"},"additionalModelRequestFields":{"thinking":{"type":"adaptive","display":"summarized"}}`, ""},
		"no_sampling":      {chat.Request{Model: opus, Sampling: chat.Sampling{Temperature: "1", TopP: "1", TopK: "3"}}, "", "temperature top_p top_k"},
		"off":              {chat.Request{Model: opus, Reasoning: chat.Reasoning{Effort: "none"}}, `,"additionalModelRequestFields":{"thinking":{"type":"disabled"}}`, ""},
		"nova_2":           {chat.Request{Model: novaTwo, Reasoning: chat.Reasoning{Effort: "xhigh"}, Sampling: chat.Sampling{TopK: "3"}}, `,"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"},"inferenceConfig":{"topK":3}}`, "reasoning.effort"},
		"nova_2_bounded":   {chat.Request{Model: novaTwo, Reasoning: chat.Reasoning{Effort: "high"}, MaxOutput: 7}, `,"inferenceConfig":{"maxTokens":7},"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"medium"}}`, "reasoning.effort"},
		"nova_2_off":       {chat.Request{Model: novaTwo, Reasoning: chat.Reasoning{Effort: "none"}}, "", ""},
		"nova_2_budget":    {chat.Request{Model: novaTwo, Reasoning: chat.Reasoning{Budget: 3}}, `,"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"medium"}}`, "reasoning.budget"},
		"nova_1":           {chat.Request{Model: novaLite, Reasoning: chat.Reasoning{Effort: "low", Budget: 3}}, "", "reasoning.budget reasoning.effort"},
		"gpt_oss":          {chat.Request{Model: oss, Reasoning: chat.Reasoning{Effort: "minimal"}, Sampling: chat.Sampling{TopK: "3"}}, `,"additionalModelRequestFields":{"reasoning_effort":"low"}`, "top_k reasoning.effort"},
		"llama":            {chat.Request{Model: llama, Reasoning: chat.Reasoning{Effort: "low"}}, "", "reasoning.effort"},
		"unnamed":          {chat.Request{Model: profile, Reasoning: chat.Reasoning{Effort: "max"}}, `,"outputConfig":{"effort":"max"}`, ""},
		"unnamed_minimal":  {chat.Request{Model: profile, Reasoning: chat.Reasoning{Effort: "minimal", Budget: -1}}, `,"outputConfig":{"effort":"low"}`, "reasoning.budget reasoning.effort"},
		"unnamed_off":      {chat.Request{Model: profile, Reasoning: chat.Reasoning{Effort: "none"}}, "", "reasoning.effort"},
	} {
		t.Run(name, func(t *testing.T) {
			body, lossy := asked(t, hello(test.r))
			want := `{"messages":[{"role":"user","content":[{"text":"a"}]}]` + test.want + `}`
			if body != want || strings.Join(lossy, " ") != test.lossy {
				t.Errorf("%s, %v, want\n%s, %v", body, lossy, want, test.lossy)
			}
		})
	}
}

func TestProviderAsksForAFormat(t *testing.T) {
	yes := true
	schema := `{"type":"object","additionalProperties":false}`
	native := `"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"n","description":"d","schema":"{\"type\":\"object\",\"additionalProperties\":false}"}}}}`
	forced := `"toolConfig":{"tools":[{"toolSpec":{"name":"n","description":"d","inputSchema":{"json":` + schema + `}}}],"toolChoice":{"tool":{"name":"n"}}}`
	format := chat.Format{Shape: chat.JSONSchema, Name: "n", Description: "d", Schema: schema}
	strict := format
	strict.Strict = &yes
	for name, test := range map[string]struct {
		r     chat.Request
		want  string
		lossy string
	}{
		"native":         {chat.Request{Model: sonnet, Format: strict}, native, ""},
		"not_strict":     {chat.Request{Model: sonnet, Format: format}, forced, ""},
		"old_claude":     {chat.Request{Model: haiku, Format: strict}, forced, ""},
		"nova":           {chat.Request{Model: novaLite, Format: strict}, forced, ""},
		"open_weights":   {chat.Request{Model: oss, Format: format}, native, ""},
		"unnamed":        {chat.Request{Model: profile, Format: format}, native, ""},
		"llama":          {chat.Request{Model: llama, Format: strict}, "", "format"},
		"any_object":     {chat.Request{Model: sonnet, Format: chat.Format{Shape: chat.JSONObject}}, `"toolConfig":{"tools":[{"toolSpec":{"name":"json_answer","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"tool":{"name":"json_answer"}}}`, ""},
		"any_of_unnamed": {chat.Request{Model: profile, Format: chat.Format{Shape: chat.JSONObject}}, "", "format"},
		"with_tools":     {chat.Request{Model: haiku, Format: strict, Tools: []chat.Tool{{Name: "f"}}}, `"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}`, "format"},
	} {
		t.Run(name, func(t *testing.T) {
			body, lossy := asked(t, hello(test.r))
			want := `{"messages":[{"role":"user","content":[{"text":"a"}]}]}`
			if test.want != "" {
				want = strings.TrimSuffix(want, "}") + "," + test.want + "}"
			}
			if body != want || strings.Join(lossy, " ") != test.lossy {
				t.Errorf("%s, %v, want\n%s, %v", body, lossy, want, test.lossy)
			}
		})
	}
}

func TestProviderLeavesToolsAlone(t *testing.T) {
	never := chat.ToolChoice{Choose: chat.Never}
	tools := []chat.Tool{{Name: "f"}}
	call := []chat.Message{{Role: chat.User, Parts: []chat.Part{{Text: "a"}}},
		{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Call, Call: &chat.ToolCall{ID: "1", Name: "g", Arguments: "{}"}}}},
		{Role: chat.User, Parts: []chat.Part{{Kind: chat.Result, Result: &chat.ToolResult{CallID: "1", Parts: []chat.Part{{Text: "x"}}}}}}}
	for name, test := range map[string]struct {
		r     chat.Request
		tools string // those that are written
		lossy string
	}{
		"left_out":      {chat.Request{Messages: call[:1], Tools: tools, ToolChoice: never}, "", "tools"},
		"called_before": {chat.Request{Messages: call, Tools: tools, ToolChoice: never}, `{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}`, "tool_choice"},
		"none_offered":  {chat.Request{Messages: call}, `{"tools":[{"toolSpec":{"name":"g","inputSchema":{"json":{"type":"object"}}}}]}`, "tool_choice"},
		"any":           {chat.Request{Messages: call[:1], Tools: tools, ToolChoice: chat.ToolChoice{Choose: chat.Any}}, `{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"any":{}}}`, ""},
		"always_thinks": {chat.Request{Model: "anthropic.claude-fable-5", Messages: call[:1], Tools: tools, ToolChoice: chat.ToolChoice{Choose: chat.Any}}, `{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"auto":{}}}`, "tool_choice"},
	} {
		t.Run(name, func(t *testing.T) {
			body, lossy := asked(t, &test.r)
			_, got, _ := strings.Cut(strings.TrimSuffix(body, "}"), `"toolConfig":`)
			if got != test.tools || strings.Join(lossy, " ") != test.lossy {
				t.Errorf("%s, %v, want\n%s, %v", got, lossy, test.tools, test.lossy)
			}
		})
	}
}

func TestProviderLeavesOut(t *testing.T) {
	mark := &chat.CacheMark{TTL: "1h"}
	user := func(p chat.Part) []chat.Message { return []chat.Message{{Parts: []chat.Part{p}}} }
	for name, test := range map[string]struct {
		r     chat.Request
		lossy string
	}{
		"metadata_of_others":  {chat.Request{Metadata: map[string]string{"a": "ü"}}, "metadata"},
		"service_tier":        {chat.Request{ServiceTier: "scale"}, "service_tier"},
		"image_elsewhere":     {chat.Request{Messages: user(chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://a/b.png"}})}, "messages.image"},
		"image_type":          {chat.Request{Messages: user(chat.Part{Kind: chat.Image, Media: &chat.Media{Type: "image/tiff", Data: "aGk="}})}, "messages.image"},
		"mark_not_taken":      {chat.Request{Model: llama, System: []chat.Part{{Text: "s", Cache: mark}}}, "system.cache"},
		"mark_of_tools":       {chat.Request{Model: novaLite, Tools: []chat.Tool{{Name: "f", Cache: mark}}}, "tools.cache"},
		"mark_for_an_hour":    {chat.Request{Model: novaLite, Messages: user(chat.Part{Text: "x", Cache: mark})}, "messages.cache"},
		"strict_tool":         {chat.Request{Model: llama, Tools: []chat.Tool{{Name: "f", Strict: new(bool)}, {Name: "g", Strict: &[]bool{true}[0]}}}, "tools.strict"},
		"logprobs":            {chat.Request{Logprobs: true, TopLogprobs: 2}, "logprobs top_logprobs"},
		"penalties":           {chat.Request{Sampling: chat.Sampling{PresencePenalty: "1", FrequencyPenalty: "1"}}, "presence_penalty frequency_penalty"},
		"auto_tier_is_no_ask": {chat.Request{ServiceTier: "auto"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if _, lossy := asked(t, hello(test.r)); strings.Join(lossy, " ") != test.lossy {
				t.Errorf("%v, want %v", lossy, test.lossy)
			}
		})
	}
}

func TestProviderRefusesWhatCantBeSaid(t *testing.T) {
	for field, r := range map[string]*chat.Request{
		"messages":        {Messages: []chat.Message{{Parts: []chat.Part{{Text: ""}}}, {Role: chat.Instruction, Parts: []chat.Part{{Text: "x"}}}}},
		"tools[0].schema": hello(chat.Request{Tools: []chat.Tool{{Name: "f", Schema: "[]"}}}),
		"format.schema":   hello(chat.Request{Model: haiku, Format: chat.Format{Shape: chat.JSONSchema, Schema: `{"a`}}),
	} {
		_, _, err := bedrock.NewProvider().Request(r)
		if err == nil || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
}
