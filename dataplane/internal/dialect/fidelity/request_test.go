package fidelity

// feature is something that a request can ask for.
type feature struct {
	name string
	// ask is a whole body by surface.
	ask map[string]string
	// marks are in what is sent where the feature arrives; carried, by provider, where it is
	// written otherwise. "~" before one: it stands for the feature, which the dialect has not.
	marks   []string
	carried map[string][]string
}

// chats, inputs, messages and contents make bodies of one turn: more fields, and parts beside
// the text.
func chats(fields, parts string) string {
	return `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi"}` + parts + `]}]` + fields + `}`
}

func inputs(fields, parts string) string {
	return `{"model":"m","store":false,"input":[{"role":"user","content":[{"type":"input_text","text":"hi"}` + parts + `]}]` + fields + `}`
}

func messages(fields, parts string) string {
	return `{"model":"m","max_tokens":9000,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}` + parts + `]}]` + fields + `}`
}

func contents(fields, parts string) string {
	return `{"contents":[{"role":"user","parts":[{"text":"hi"}` + parts + `]}]` + fields + `}`
}

func settings(fields string) string { return contents(`,"generationConfig":{`+fields+`}`, "") }

// all is a body by surface, in the order of surfaces; empty: it can't say it.
func all(chat, input, message, content string) map[string]string {
	bodies := map[string]string{}
	for i, body := range []string{chat, input, message, content} {
		if body != "" {
			bodies[surfaces[i].name] = body
		}
	}
	return bodies
}

// by is marks by provider, in the order of providers.
func by(openai, compatible, anthropic, gemini, bedrock string) map[string][]string {
	marks := map[string][]string{}
	for i, mark := range []string{openai, compatible, anthropic, gemini, bedrock} {
		marks[providers[i].name] = []string{mark}
	}
	return marks
}

const (
	schema      = `{"type":"object","properties":{"propmark":{"type":"string"}},"required":["propmark"],"additionalProperties":false}`
	chatTool    = `,"tools":[{"type":"function","function":{"name":"toolmark","description":"aboutmark","parameters":` + schema + `}}]`
	inputTool   = `,"tools":[{"type":"function","name":"toolmark","description":"aboutmark","strict":false,"parameters":` + schema + `}]`
	messageTool = `,"tools":[{"name":"toolmark","description":"aboutmark","input_schema":` + schema + `}]`
	contentTool = `,"tools":[{"functionDeclarations":[{"name":"toolmark","description":"aboutmark","parametersJsonSchema":` + schema + `}]}]`
)

var features = []feature{
	{name: "system prompt", marks: []string{"sysmark"}, ask: all(
		`{"model":"m","messages":[{"role":"system","content":"sysmark"},{"role":"user","content":"hi"}]}`,
		inputs(`,"instructions":"sysmark"`, ""), messages(`,"system":"sysmark"`, ""), contents(`,"systemInstruction":{"parts":[{"text":"sysmark"}]}`, ""))},
	{name: "developer message", marks: []string{"devmark"}, ask: all(
		`{"model":"m","messages":[{"role":"developer","content":"devmark"},{"role":"user","content":"hi"}]}`,
		`{"model":"m","store":false,"input":[{"role":"developer","content":"devmark"},{"role":"user","content":"hi"}]}`, "", "")},
	{name: "system message inside of the conversation", marks: []string{"midmark"}, ask: all(
		`{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"},{"role":"system","content":"midmark"},{"role":"user","content":"so"}]}`,
		`{"model":"m","store":false,"input":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"},{"role":"system","content":"midmark"},{"role":"user","content":"so"}]}`,
		`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"system","content":"midmark"},{"role":"assistant","content":"ho"},{"role":"user","content":"so"}]}`, "")},
	{name: "several turns", marks: []string{"turnmark"}, ask: all(
		`{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"turnmark"},{"role":"user","content":"so"}]}`,
		`{"model":"m","store":false,"input":[{"role":"user","content":"hi"},{"role":"assistant","content":"turnmark"},{"role":"user","content":"so"}]}`,
		`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"turnmark"},{"role":"user","content":"so"}]}`,
		`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"turnmark"}]},{"role":"user","parts":[{"text":"so"}]}]}`)},
	{name: "author's name", marks: []string{"namemark"}, ask: all(
		`{"model":"m","messages":[{"role":"user","name":"namemark","content":"hi"}]}`, "", "", "")},
	{name: "image", marks: []string{"bWFyaw=="}, ask: all(
		chats("", `,{"type":"image_url","image_url":{"url":"data:image/png;base64,bWFyaw=="}}`),
		inputs("", `,{"type":"input_image","image_url":"data:image/png;base64,bWFyaw=="}`),
		messages("", `,{"type":"image","source":{"type":"base64","media_type":"image/png","data":"bWFyaw=="}}`),
		contents("", `,{"inlineData":{"mimeType":"image/png","data":"bWFyaw=="}}`))},
	{name: "image by URL", marks: []string{"https://example.com/mark.png"}, ask: all(
		chats("", `,{"type":"image_url","image_url":{"url":"https://example.com/mark.png"}}`),
		inputs("", `,{"type":"input_image","image_url":"https://example.com/mark.png"}`),
		messages("", `,{"type":"image","source":{"type":"url","url":"https://example.com/mark.png"}}`),
		contents("", `,{"fileData":{"mimeType":"image/png","fileUri":"https://example.com/mark.png"}}`))},
	{name: "image's detail", marks: []string{`"detail":"high"`}, carried: map[string][]string{"gemini": {"mediaResolution"}}, ask: all(
		chats("", `,{"type":"image_url","image_url":{"url":"data:image/png;base64,bWFyaw==","detail":"high"}}`),
		inputs("", `,{"type":"input_image","image_url":"data:image/png;base64,bWFyaw==","detail":"high"}`), "",
		contents("", `,{"inlineData":{"mimeType":"image/png","data":"bWFyaw=="},"mediaResolution":{"level":"MEDIA_RESOLUTION_HIGH"}}`))},
	{name: "PDF", marks: []string{"bWFyaw=="}, ask: all(
		chats("", `,{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,bWFyaw=="}}`),
		inputs("", `,{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,bWFyaw=="}`),
		messages("", `,{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"bWFyaw=="}}`),
		contents("", `,{"inlineData":{"mimeType":"application/pdf","data":"bWFyaw=="}}`))},
	{name: "PDF by URL", marks: []string{"https://example.com/mark.pdf"}, ask: all("",
		inputs("", `,{"type":"input_file","file_url":"https://example.com/mark.pdf"}`),
		messages("", `,{"type":"document","source":{"type":"url","url":"https://example.com/mark.pdf"}}`),
		contents("", `,{"fileData":{"mimeType":"application/pdf","fileUri":"https://example.com/mark.pdf"}}`))},
	{name: "audio", marks: []string{"bWFyaw=="}, ask: all(
		chats("", `,{"type":"input_audio","input_audio":{"data":"bWFyaw==","format":"wav"}}`), "", "",
		contents("", `,{"inlineData":{"mimeType":"audio/wav","data":"bWFyaw=="}}`))},
	{name: "tools", marks: []string{"toolmark", "aboutmark", "propmark"}, ask: all(
		chats(chatTool, ""), inputs(inputTool, ""), messages(messageTool, ""), contents(contentTool, ""))},
	{name: "strict tools", marks: []string{`"strict":true`}, ask: all(
		chats(`,"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":`+schema+`}}]`, ""),
		inputs(`,"tools":[{"type":"function","name":"f","strict":true,"parameters":`+schema+`}]`, ""),
		messages(`,"tools":[{"name":"f","strict":true,"input_schema":`+schema+`}]`, ""), "")},
	{name: "a tool must be called", carried: by(`"tool_choice":"required"`, `"tool_choice":"required"`, `"tool_choice":{"type":"any"`, `"mode":"ANY"`, `"toolChoice":{"any":{}}`), ask: all(
		chats(chatTool+`,"tool_choice":"required"`, ""), inputs(inputTool+`,"tool_choice":"required"`, ""),
		messages(messageTool+`,"tool_choice":{"type":"any"}`, ""), contents(contentTool+`,"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}`, ""))},
	{name: "this tool must be called", carried: by(`"tool_choice":{"type":"function","function":{"name":"toolmark"}}`, `"tool_choice":{"type":"function","function":{"name":"toolmark"}}`,
		`"tool_choice":{"type":"tool","name":"toolmark"`, `"allowedFunctionNames":["toolmark"]`, `"toolChoice":{"tool":{"name":"toolmark"}}`), ask: all(
		chats(chatTool+`,"tool_choice":{"type":"function","function":{"name":"toolmark"}}`, ""), inputs(inputTool+`,"tool_choice":{"type":"function","name":"toolmark"}`, ""),
		messages(messageTool+`,"tool_choice":{"type":"tool","name":"toolmark"}`, ""),
		contents(contentTool+`,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["toolmark"]}}`, ""))},
	{name: "no tool may be called", carried: by(`"tool_choice":"none"`, `"tool_choice":"none"`, `"tool_choice":{"type":"none"`, `"mode":"NONE"`, `"toolChoice":{"none":`), ask: all(
		chats(chatTool+`,"tool_choice":"none"`, ""), inputs(inputTool+`,"tool_choice":"none"`, ""),
		messages(messageTool+`,"tool_choice":{"type":"none"}`, ""), contents(contentTool+`,"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}`, ""))},
	{name: "one call at a time", carried: by(`"parallel_tool_calls":false`, `"parallel_tool_calls":false`, `"disable_parallel_tool_use":true`, "nowhere", `"disable_parallel_tool_use":true`), ask: all(
		chats(chatTool+`,"parallel_tool_calls":false`, ""), inputs(inputTool+`,"parallel_tool_calls":false`, ""),
		messages(messageTool+`,"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`, ""), "")},
	{name: "parallel calls and their results", marks: []string{"argone", "argtwo", "resultone", "resulttwo"}, ask: all(
		`{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"toolmark","arguments":"{\"a\":\"argone\"}"}},{"id":"call_2","type":"function","function":{"name":"toolmark","arguments":"{\"a\":\"argtwo\"}"}}]},{"role":"tool","tool_call_id":"call_1","content":"resultone"},{"role":"tool","tool_call_id":"call_2","content":"resulttwo"}]`+chatTool+`}`,
		`{"model":"m","store":false,"input":[{"role":"user","content":"hi"},{"type":"function_call","call_id":"call_1","name":"toolmark","arguments":"{\"a\":\"argone\"}"},{"type":"function_call","call_id":"call_2","name":"toolmark","arguments":"{\"a\":\"argtwo\"}"},{"type":"function_call_output","call_id":"call_1","output":"resultone"},{"type":"function_call_output","call_id":"call_2","output":"resulttwo"}]`+inputTool+`}`,
		`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"toolmark","input":{"a":"argone"}},{"type":"tool_use","id":"call_2","name":"toolmark","input":{"a":"argtwo"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"resultone"},{"type":"tool_result","tool_use_id":"call_2","content":"resulttwo"}]}]`+messageTool+`}`,
		`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"toolmark","args":{"a":"argone"}}},{"functionCall":{"name":"toolmark","args":{"a":"argtwo"}}}]},{"role":"user","parts":[{"functionResponse":{"name":"toolmark","response":{"output":"resultone"}}},{"functionResponse":{"name":"toolmark","response":{"output":"resulttwo"}}}]}]`+contentTool+`}`)},
	{name: "a result with an image", marks: []string{"bWFyaw=="}, ask: all("",
		`{"model":"m","store":false,"input":[{"role":"user","content":"hi"},{"type":"function_call","call_id":"call_1","name":"toolmark","arguments":"{}"},{"type":"function_call_output","call_id":"call_1","output":[{"type":"input_image","image_url":"data:image/png;base64,bWFyaw=="}]}]`+inputTool+`}`,
		`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"toolmark","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"bWFyaw=="}}]}]}]`+messageTool+`}`, "")},
	{name: "a result that is a failure", marks: []string{`"is_error":true`}, carried: map[string][]string{"bedrock": {`"status":"error"`}, "gemini": {`"error":`}}, ask: all("", "",
		`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"toolmark","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","is_error":true,"content":"no"}]}]`+messageTool+`}`,
		`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"toolmark","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"toolmark","response":{"error":"no"}}}]}]`+contentTool+`}`)},
	{name: "answer by a JSON schema", marks: []string{"propmark"}, ask: all(
		chats(`,"response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":`+schema+`}}`, ""),
		inputs(`,"text":{"format":{"type":"json_schema","name":"answer","strict":true,"schema":`+schema+`}}`, ""),
		messages(`,"output_config":{"format":{"type":"json_schema","schema":`+schema+`}}`, ""),
		settings(`"responseMimeType":"application/json","responseJsonSchema":`+schema))},
	{name: "answer is a JSON object", carried: by(`"response_format":{"type":"json_object"}`, `"response_format":{"type":"json_object"}`, `~"type":"tool"`, `"responseMimeType":"application/json"`, `~"toolChoice":{"tool"`), ask: all(
		chats(`,"response_format":{"type":"json_object"}`, ""), inputs(`,"text":{"format":{"type":"json_object"}}`, ""), "",
		settings(`"responseMimeType":"application/json"`))},
	{name: "reasoning effort", carried: by(`"reasoning_effort":"low"`, `"reasoning_effort":"low"`, `"effort":"low"`, `"thinkingLevel":"LOW"`, `"effort":"low"`), ask: all(
		chats(`,"reasoning_effort":"low"`, ""), inputs(`,"reasoning":{"effort":"low"}`, ""), messages(`,"output_config":{"effort":"low"},"thinking":{"type":"adaptive"}`, ""),
		settings(`"thinkingConfig":{"thinkingLevel":"LOW"}`))},
	{name: "thinking budget", carried: by(`~"reasoning_effort":`, `~"reasoning_effort":`, `~"effort":`, `"thinkingBudget":2048`, `~"effort":`), ask: all("", "",
		messages(`,"thinking":{"type":"enabled","budget_tokens":2048}`, ""), settings(`"thinkingConfig":{"thinkingBudget":2048}`))},
	{name: "thinking sent back, its signature verbatim", marks: []string{"thoughtmark", "c2lnbWFyaw=="}, ask: all(
		`{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho","thinking_blocks":[{"type":"thinking","thinking":"thoughtmark","signature":"c2lnbWFyaw=="}]},{"role":"user","content":"so"}]}`,
		"",
		`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"thoughtmark","signature":"c2lnbWFyaw=="},{"type":"text","text":"ho"}]},{"role":"user","content":"so"}]}`,
		`{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"thoughtmark","thought":true,"thoughtSignature":"c2lnbWFyaw=="},{"text":"ho"}]},{"role":"user","parts":[{"text":"so"}]}]}`)},
	{name: "redacted thinking sent back", marks: []string{"cmVkbWFyaw=="}, ask: all(
		`{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho","thinking_blocks":[{"type":"redacted_thinking","data":"cmVkbWFyaw=="}]},{"role":"user","content":"so"}]}`, "",
		`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"redacted_thinking","data":"cmVkbWFyaw=="},{"type":"text","text":"ho"}]},{"role":"user","content":"so"}]}`, "")},
	{name: "prompt cache mark", carried: by("nowhere", "nowhere", `"cache_control":{"type":"ephemeral"`, "nowhere", `"cachePoint":{"type":"default"`), ask: all("", "",
		messages(`,"system":[{"type":"text","text":"long","cache_control":{"type":"ephemeral"}}]`, ""), "")},
	{name: "temperature", marks: []string{`"temperature":0.375`}, ask: all(chats(`,"temperature":0.375`, ""), inputs(`,"temperature":0.375`, ""), messages(`,"temperature":0.375`, ""), settings(`"temperature":0.375`))},
	{name: "top p", marks: []string{`"top_p":0.625`}, carried: map[string][]string{"gemini": {`"topP":0.625`}, "bedrock": {`"topP":0.625`}}, ask: all(chats(`,"top_p":0.625`, ""), inputs(`,"top_p":0.625`, ""), messages(`,"top_p":0.625`, ""), settings(`"topP":0.625`))},
	{name: "top k", marks: []string{`"top_k":17`}, carried: map[string][]string{"gemini": {`"topK":17`}}, ask: all("", "", messages(`,"top_k":17`, ""), settings(`"topK":17`))},
	{name: "penalties", carried: map[string][]string{"openai": {`"presence_penalty":0.5`, `"frequency_penalty":0.25`}, "openai-compatible": {`"presence_penalty":0.5`, `"frequency_penalty":0.25`},
		"gemini": {`"presencePenalty":0.5`, `"frequencyPenalty":0.25`}, "anthropic": {"nowhere"}, "bedrock": {"nowhere"}}, ask: all(
		chats(`,"presence_penalty":0.5,"frequency_penalty":0.25`, ""), "", "", settings(`"presencePenalty":0.5,"frequencyPenalty":0.25`))},
	{name: "seed", marks: []string{`"seed":4711`}, ask: all(chats(`,"seed":4711`, ""), "", "", settings(`"seed":4711`))},
	{name: "stop sequences", marks: []string{"stopmark"}, ask: all(chats(`,"stop":["stopmark"]`, ""), "", messages(`,"stop_sequences":["stopmark"]`, ""), settings(`"stopSequences":["stopmark"]`))},
	{name: "most tokens of the answer", marks: []string{":7001"}, ask: all(chats(`,"max_completion_tokens":7001`, ""), inputs(`,"max_output_tokens":7001`, ""),
		`{"model":"m","max_tokens":7001,"messages":[{"role":"user","content":"hi"}]}`, settings(`"maxOutputTokens":7001`))},
	{name: "several choices", marks: []string{`"n":2`}, carried: map[string][]string{"gemini": {`"candidateCount":2`}}, ask: all(chats(`,"n":2`, ""), "", "", settings(`"candidateCount":2`))},
	{name: "logprobs", marks: []string{`"logprobs":true`, `"top_logprobs":3`}, carried: map[string][]string{"gemini": {`"responseLogprobs":true`, `"logprobs":3`}}, ask: all(
		chats(`,"logprobs":true,"top_logprobs":3`, ""), inputs(`,"top_logprobs":3,"include":["message.output_text.logprobs"]`, ""), "", settings(`"responseLogprobs":true,"logprobs":3`))},
	{name: "logit bias", marks: []string{"nowhere"}, ask: all(chats(`,"logit_bias":{"1":5}`, ""), "", "", "")},
	{name: "end user", marks: []string{"usermark"}, ask: all(chats(`,"safety_identifier":"usermark"`, ""), inputs(`,"safety_identifier":"usermark"`, ""), messages(`,"metadata":{"user_id":"usermark"}`, ""), "")},
	{name: "metadata", marks: []string{"metamark"}, ask: all(chats(`,"metadata":{"k":"metamark"}`, ""), inputs(`,"metadata":{"k":"metamark"}`, ""), "", contents(`,"labels":{"k":"metamark"}`, ""))},
	{name: "a field that nobody knows", marks: []string{"nowhere"}, ask: all(chats(`,"unheard_of":1`, ""), inputs(`,"unheard_of":1`, ""), messages(`,"unheard_of":1`, ""), contents(`,"unheardOf":1`, ""))},
}
