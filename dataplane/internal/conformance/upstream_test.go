package conformance_test

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// show is when thinking is shown.
type show int

const (
	never show = iota
	always
	// whenAsked: by those who say that they want to see it, which takes the place of effort.
	whenAsked
)

// provider is a kind of upstream.
type provider struct {
	name, model string
	// own is what its policy says besides where it is; path is below its host.
	own  *policyv1.Provider
	path string
	// read finds in a request what arrived.
	read func(*testing.T, llmtest.Request) arrived
	// speaks: there is text beside calls.
	speaks bool
	// shows thinking; signs it.
	shows show
	signs bool
	// sequences: which one ended the answer is told.
	sequences bool
	// callSigned: calls are, and go back so.
	callSigned bool
	// lax: tools are never strict.
	lax bool
	// oneOutput: what was spent on thinking is not told apart.
	oneOutput bool
	// fills is the mock's way to fill in a schema; nil: that of most.
	fills func(tool string, text string) string
}

var providers = []provider{
	{name: "openai", model: "gpt-5", own: &policyv1.Provider{Dialect: policyv1.Dialect_DIALECT_OPENAI}, path: "/v1", read: readOpenAI},
	{name: "azure", model: "gpt-5", own: &policyv1.Provider{Dialect: policyv1.Dialect_DIALECT_AZURE_OPENAI}, read: readOpenAI},
	{name: "azure_deployment", model: "gpt-5", own: &policyv1.Provider{Dialect: policyv1.Dialect_DIALECT_AZURE_OPENAI, ApiVersion: "2025-04-01-preview"}, read: readOpenAI},
	{name: "compatible", model: "deepseek-r1", own: &policyv1.Provider{Dialect: policyv1.Dialect_DIALECT_OPENAI_COMPATIBLE}, path: "/v1", read: readOpenAI, shows: always},
	{name: "anthropic", model: "claude-opus-4-8", own: &policyv1.Provider{Dialect: policyv1.Dialect_DIALECT_ANTHROPIC}, read: readAnthropic,
		speaks: true, shows: always, signs: true, sequences: true},
	{name: "bedrock", model: "anthropic.claude-opus-4-8", own: &policyv1.Provider{Dialect: policyv1.Dialect_DIALECT_BEDROCK, Region: "eu-west-1"}, read: readBedrock, oneOutput: true,
		speaks: true, shows: always, signs: true, sequences: true},
	{name: "gemini", model: "gemini-3-pro", own: &policyv1.Provider{Dialect: policyv1.Dialect_DIALECT_GEMINI}, path: "/v1beta", read: readGemini,
		shows: whenAsked, callSigned: true, lax: true, fills: fillGemini},
	{name: "vertex", model: "gemini-3-pro", own: &policyv1.Provider{Dialect: policyv1.Dialect_DIALECT_VERTEX},
		path: "/v1/projects/p1/locations/eu/publishers/google", read: readGemini, shows: whenAsked, callSigned: true, lax: true, fills: fillGemini},
}

// fillGemini has a text of the answer in every string.
func fillGemini(tool, text string) string {
	if tool == "flow" {
		return flowArguments
	}
	return `{"gauge":"` + text + `","metres":1}`
}

// arrived is what a provider got, in no dialect.
type arrived struct {
	Model, System string
	Users         []string
	// Said is what the model said before.
	Said    string
	Tools   map[string]string // schemas
	Calls   []call
	Results map[string]string
	Media   []string // "image/png AAAA"
	Schema  string
	Stop    []string
	Max     int64
	// Thinking are signatures, or texts where there is none.
	Thinking []string
	Stream   bool
}

func readOpenAI(t *testing.T, request llmtest.Request) arrived {
	t.Helper()
	body := gjson.ParseBytes(request.Body)
	if strings.HasSuffix(request.Path, "/responses") {
		return readResponses(t, body)
	}
	a := arrived{Model: body.Get("model").Str, Max: body.Get("max_completion_tokens").Int() + body.Get("max_tokens").Int(), Stream: body.Get("stream").Bool(),
		Tools: map[string]string{}, Results: map[string]string{}}
	for _, message := range body.Get("messages").Array() {
		a.openAI(t, message)
	}
	for _, tool := range body.Get("tools").Array() {
		a.Tools[tool.Get("function.name").Str] = canonical(t, tool.Get("function.parameters").Raw)
	}
	if schema := body.Get("response_format.json_schema.schema"); schema.Exists() {
		a.Schema = canonical(t, schema.Raw)
	}
	for _, stop := range body.Get("stop").Array() {
		a.Stop = append(a.Stop, stop.Str)
	}
	return a
}

func (a *arrived) openAI(t *testing.T, message gjson.Result) {
	t.Helper()
	content := message.Get("content")
	text := content.Str
	for _, part := range content.Array() {
		if content.IsArray() {
			text += part.Get("text").Str
			a.dataURL(part.Get("image_url.url").Str)
			a.dataURL(part.Get("file.file_data").Str)
		}
	}
	switch message.Get("role").Str {
	case "system", "developer":
		a.System += text
	case "user":
		a.Users = append(a.Users, text)
	case "tool":
		a.Results[message.Get("tool_call_id").Str] = text
	case "assistant":
		a.Said += text
		for _, made := range message.Get("tool_calls").Array() {
			a.Calls = append(a.Calls, call{made.Get("id").Str, made.Get("function.name").Str, canonical(t, made.Get("function.arguments").Str)})
		}
		if thinking := message.Get("reasoning_content").Str; thinking != "" {
			a.Thinking = append(a.Thinking, thinking)
		}
	}
}

func readResponses(t *testing.T, body gjson.Result) arrived {
	t.Helper()
	a := arrived{Model: body.Get("model").Str, Max: body.Get("max_output_tokens").Int(), Stream: body.Get("stream").Bool(), System: body.Get("instructions").Str,
		Tools: map[string]string{}, Results: map[string]string{}}
	for _, item := range body.Get("input").Array() {
		a.item(t, item)
	}
	for _, tool := range body.Get("tools").Array() {
		a.Tools[tool.Get("name").Str] = canonical(t, tool.Get("parameters").Raw)
	}
	if schema := body.Get("text.format.schema"); schema.Exists() {
		a.Schema = canonical(t, schema.Raw)
	}
	return a
}

func (a *arrived) item(t *testing.T, item gjson.Result) {
	t.Helper()
	content := item.Get("content")
	switch item.Get("role").Str {
	case "user":
		a.Users = append(a.Users, texts(content))
	case "assistant":
		a.Said += texts(content)
	}
	switch item.Get("type").Str {
	case "function_call":
		a.Calls = append(a.Calls, call{item.Get("call_id").Str, item.Get("name").Str, canonical(t, item.Get("arguments").Str)})
	case "function_call_output":
		a.Results[item.Get("call_id").Str] = item.Get("output").Str
	case "reasoning":
		a.Thinking = append(a.Thinking, item.Get("encrypted_content").Str)
	}
	for _, part := range content.Array() {
		a.dataURL(part.Get("image_url").Str)
		a.dataURL(part.Get("file_data").Str)
	}
}

func (a *arrived) dataURL(url string) {
	if kind, data, ok := strings.Cut(strings.TrimPrefix(url, "data:"), ";base64,"); ok {
		a.Media = append(a.Media, kind+" "+data)
	}
}

func readAnthropic(t *testing.T, request llmtest.Request) arrived {
	t.Helper()
	body := gjson.ParseBytes(request.Body)
	a := arrived{Model: body.Get("model").Str, Max: body.Get("max_tokens").Int(), Stream: body.Get("stream").Bool(),
		Tools: map[string]string{}, Results: map[string]string{}, System: texts(body.Get("system"))}
	for _, message := range body.Get("messages").Array() {
		if said := texts(message.Get("content")); said != "" && message.Get("role").Str == "user" {
			a.Users = append(a.Users, said)
		}
		if message.Get("role").Str == "assistant" {
			a.Said += texts(message.Get("content"))
		}
		for _, block := range message.Get("content").Array() {
			a.block(t, block)
		}
	}
	for _, tool := range body.Get("tools").Array() {
		a.Tools[tool.Get("name").Str] = canonical(t, tool.Get("input_schema").Raw)
	}
	if schema := body.Get("output_config.format.schema"); schema.Exists() {
		a.Schema = canonical(t, schema.Raw)
	} else if body.Get("tool_choice.type").Str == "tool" { // which stands for it
		a.Schema = a.Tools[body.Get("tool_choice.name").Str]
	}
	for _, stop := range body.Get("stop_sequences").Array() {
		a.Stop = append(a.Stop, stop.Str)
	}
	return a
}

// texts joins the texts of a content.
func texts(content gjson.Result) string {
	joined := content.Str
	content.ForEach(func(_, block gjson.Result) bool {
		joined += block.Get("text").Str
		return true
	})
	return joined
}

func (a *arrived) block(t *testing.T, block gjson.Result) {
	t.Helper()
	switch block.Get("type").Str {
	case "image", "document":
		a.Media = append(a.Media, block.Get("source.media_type").Str+" "+block.Get("source.data").Str)
	case "tool_use":
		a.Calls = append(a.Calls, call{block.Get("id").Str, block.Get("name").Str, canonical(t, block.Get("input").Raw)})
	case "tool_result":
		a.Results[block.Get("tool_use_id").Str] = texts(block.Get("content"))
	case "thinking":
		a.Thinking = append(a.Thinking, block.Get("signature").Str)
	}
}
