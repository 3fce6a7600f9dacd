package llmtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// messageRequest is what the mock understands of a request.
type messageRequest struct {
	Model        string
	LastUser     string
	PromptTokens int
	// Write5m and Write1h are the tokens up to the last mark of either kind.
	Write5m, Write1h int
	// Cap bounds the output, thinking included.
	Cap    int
	Stream bool
	// Thinks: there will be thinking; Omitted: without its text.
	Thinks, Omitted bool
	// Calls are the tools that will be called; Forced: without a word before.
	Calls  []calledTool
	Forced bool
	// Schema of an answer that is JSON.
	Schema gjson.Result
	Stops  []string
}

// mediaTokens is what an image or a document costs.
const mediaTokens = 10

// messageFields are those that a request can have: others are refused, as the provider does.
var messageFields = strings.Fields(`model max_tokens messages system stream temperature top_p top_k stop_sequences tools
	tool_choice thinking output_config metadata service_tier cache_control container inference_geo context_management
	mcp_servers speed`)

// messageReader reads a request; the first thing that is wrong stays.
type messageReader struct {
	messageRequest
	invalid string
	// asked are the ids of calls whose results must come next.
	asked []string
}

func (r *messageReader) fail(format string, args ...any) {
	if r.invalid == "" {
		r.invalid = fmt.Sprintf(format, args...)
	}
}

// parseMessages says what is wrong in the provider's manner: "messages.0.role: ...". capped: max_tokens is required.
func parseMessages(body []byte, capped bool) (messageRequest, string) {
	r := messageReader{messageRequest: messageRequest{PromptTokens: tokensPerPrompt}}
	root := gjson.ParseBytes(body)
	if !gjson.ValidBytes(body) || !root.IsObject() {
		return r.messageRequest, "The request body is not valid JSON"
	}
	root.ForEach(func(name, _ gjson.Result) bool {
		if !slices.Contains(messageFields, name.Str) {
			r.fail("%s: Extra inputs are not permitted", name.Str)
		}
		return true
	})
	if r.Model = root.Get("model").Str; r.Model == "" {
		r.fail("model: Field required")
	}
	r.Cap = int(root.Get("max_tokens").Int())
	if capped && r.Cap < 1 {
		r.fail("max_tokens: Field required")
	}
	r.Stream = root.Get("stream").Bool()
	if root.Get("temperature").Num > 1 {
		r.fail("temperature: range: 0..1")
	}
	for _, stop := range root.Get("stop_sequences").Array() {
		r.Stops = append(r.Stops, stop.Str)
	}
	r.prompt(root)
	r.thinking(root.Get("thinking"))
	r.tools(root.Get("tools"), root.Get("tool_choice"))
	if format := root.Get("output_config.format"); format.Exists() {
		if r.Schema = format.Get("schema"); format.Get("type").Str != "json_schema" || !r.Schema.IsObject() {
			r.fail("output_config.format: Input should be a json_schema")
		}
	}
	return r.messageRequest, r.invalid
}

func (r *messageReader) prompt(root gjson.Result) {
	r.PromptTokens += CountWords(root.Get("tools").Raw)
	for _, tool := range root.Get("tools").Array() {
		r.mark(tool)
	}
	r.content("system", "system", root.Get("system"))
	messages := root.Get("messages").Array()
	if len(messages) == 0 {
		r.fail("messages: at least one message is required")
	}
	for i, message := range messages {
		r.PromptTokens += tokensPerMessage
		role := message.Get("role").Str
		if role != "user" && role != "assistant" && (role != "system" || i == 0 || messages[i-1].Get("role").Str != "user") {
			r.fail("messages.%d.role: Input should be 'user' or 'assistant'", i)
		}
		switch role {
		case "user":
			r.LastUser = ""
		case "assistant":
			r.answered(fmt.Sprintf("messages.%d", i))
		}
		r.content(fmt.Sprintf("messages.%d.content", i), role, message.Get("content"))
	}
	r.answered("messages")
}

func (r *messageReader) content(path, role string, content gjson.Result) {
	if content.Type == gjson.String {
		r.text(role, content.Str)
	}
	for i, block := range content.Array() {
		if content.IsArray() {
			r.block(fmt.Sprintf("%s.%d", path, i), role, block)
			r.mark(block)
		}
	}
}

// answered: consecutive turns of the user count as one, in which all results must be.
func (r *messageReader) answered(path string) {
	if len(r.asked) > 0 {
		r.fail("%s: `tool_use` ids were found without `tool_result` blocks immediately after: %s", path, strings.Join(r.asked, ", "))
	}
}

func (r *messageReader) text(role, text string) {
	r.PromptTokens += CountWords(text)
	if role == "user" {
		r.LastUser = strings.TrimLeft(r.LastUser+" "+text, " ")
	}
}

func (r *messageReader) block(path, role string, block gjson.Result) {
	switch kind := block.Get("type").Str; kind {
	case "text":
		if block.Get("text").Str == "" {
			r.fail("%s: text content blocks must be non-empty", path)
		}
		r.text(role, block.Get("text").Str)
	case "image", "document":
		r.source(path+".source", block.Get("source"))
	case "thinking":
		if !signed(block.Get("thinking").Str, block.Get("signature").Str) {
			r.fail("%s: Invalid `signature` in `thinking` block", path)
		}
	case "redacted_thinking":
		if block.Get("data").Str != redacted {
			r.fail("%s: Invalid `data` in `redacted_thinking` block", path)
		}
	case "tool_use":
		if !block.Get("input").IsObject() {
			r.fail("%s.input: Input should be a valid dictionary", path)
		}
		r.PromptTokens += CountWords(block.Get("input").Raw)
		r.asked = append(r.asked, block.Get("id").Str)
	case "tool_result":
		r.result(path, block)
	default:
		r.fail("%s: Input tag %q found using 'type' does not match any of the expected tags", path, kind)
	}
}

func (r *messageReader) result(path string, block gjson.Result) {
	at := slices.Index(r.asked, block.Get("tool_use_id").Str)
	if at < 0 {
		r.fail("%s: unexpected `tool_use_id` found in `tool_result` blocks: %s", path, block.Get("tool_use_id").Str)
		return
	}
	r.asked = slices.Delete(r.asked, at, at+1)
	r.content(path+".content", "tool", block.Get("content"))
}

func (r *messageReader) source(path string, source gjson.Result) {
	r.PromptTokens += mediaTokens
	want := map[string]string{"base64": "data", "text": "data", "url": "url"}[source.Get("type").Str]
	if want == "" || source.Get(want).Str == "" || want == "data" && source.Get("media_type").Str == "" {
		r.fail("%s: Field required", path)
	}
}

// mark notes that all up to here is written to the cache.
func (r *messageReader) mark(block gjson.Result) {
	switch control := block.Get("cache_control"); {
	case !control.Exists():
	case control.Get("ttl").Str == "1h":
		r.Write1h = r.PromptTokens
	default:
		r.Write5m = r.PromptTokens
	}
}

func (r *messageReader) thinking(thinking gjson.Result) {
	budget := thinking.Get("budget_tokens").Int()
	switch thinking.Get("type").Str {
	case "enabled":
		if budget < 1024 || budget >= int64(r.Cap) && r.Cap > 0 {
			r.fail("thinking.enabled.budget_tokens: at least 1024, and less than max_tokens")
		}
		r.Thinks = true
	case "adaptive":
		r.Thinks = true
	}
	r.Omitted = thinking.Get("display").Str == "omitted"
}

// tools decides which are called: the one that is chosen, or those that the last message names.
func (r *messageReader) tools(tools, choice gjson.Result) {
	kind := choice.Get("type").Str
	var known []calledTool
	for i, tool := range tools.Array() {
		known = append(known, calledTool{tool.Get("name").Str, tool.Get("input_schema")})
		if own := tool.Get("type").Str; (own == "" || own == "custom") && !tool.Get("input_schema").IsObject() {
			r.fail("tools.%d.custom.input_schema: Field required", i)
		}
	}
	chosen := toolChoice{name: choice.Get("name").Str, single: choice.Get("disable_parallel_tool_use").Bool()}
	chosen.kind = map[string]choose{"none": chooseNone, "any": chooseAny, "tool": chooseNamed}[kind]
	r.Calls = pick(known, chosen, r.LastUser)
	r.Forced = chosen.kind == chooseAny || chosen.kind == chooseNamed
	if r.Forced && len(r.Calls) == 0 {
		r.fail("tool_choice: Tool '%s' not found in provided tools", chosen.name)
	}
	if r.Forced && r.Thinks {
		r.fail("Thinking may not be enabled when tool_choice forces tool use.")
	}
}
