package llmtest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/weirhq/weir/dataplane/llmtest"
)

const (
	ownLevel = `{"type":"function","name":"level","strict":true,"parameters":{"type":"object","properties":{"gauge":{"type":"string"},"marks":{"type":"array","items":{"type":"integer"}}}}}`
	ownFlow  = `{"type":"function","name":"flow","parameters":{"type":"object","properties":{}}}`
	ownTools = `"tools":[` + ownLevel + `,` + ownFlow + `]`
	sealIt   = `"include":["reasoning.encrypted_content"],"store":false`
)

func respond(t *testing.T, server *httptest.Server, body string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/responses", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+apiKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(read)
}

// outputs is a response's status, and what its items say.
func outputs(response gjson.Result) []string {
	said := []string{strings.TrimSpace(response.Get("status").Str + " " + response.Get("incomplete_details.reason").Str)}
	for _, item := range response.Get("output").Array() {
		text := item.Get("name").Str + item.Get("arguments").Str + item.Get("content.0.text").Str + item.Get("content.0.refusal").Str + item.Get("summary.0.text").Str
		if item.Get("encrypted_content").Exists() {
			text = strings.TrimSpace(text + " sealed")
		}
		said = append(said, strings.TrimSpace(item.Get("type").Str+" "+text))
	}
	return said
}

// streamed folds a stream, which must agree with its last event; kinds are those of its events.
func streamed(t *testing.T, stream string) (kinds []string, last gjson.Result) {
	t.Helper()
	var items []string
	text := ""
	for n, block := range strings.Split(strings.TrimSpace(stream), "\n\n") {
		name, data, _ := strings.Cut(block, "\ndata: ")
		event := gjson.Parse(data)
		kind := event.Get("type").Str
		if name != "event: "+kind || event.Get("sequence_number").Int() != int64(n) || !gjson.Valid(data) {
			t.Errorf("event %d: %s", n, block)
		}
		if len(kinds) == 0 || kinds[len(kinds)-1] != kind {
			kinds = append(kinds, kind)
		}
		for _, done := range []string{"text", "refusal", "arguments"} {
			if said := event.Get(done); strings.HasSuffix(kind, ".done") && said.Exists() && said.Str != text {
				t.Errorf("streamed %q, and then %s", text, data)
			}
		}
		switch {
		case strings.HasSuffix(kind, ".delta"):
			text += event.Get("delta").Str
		case kind == "response.output_item.added":
			text = ""
		case kind == "response.output_item.done":
			items = append(items, event.Get("item").Raw)
		}
		last = event.Get("response")
	}
	if diff := cmp.Diff(last.Get("output").Raw, "["+strings.Join(items, ",")+"]"); diff != "" {
		t.Errorf("the items differ from those of the last event: %s", diff)
	}
	return kinds, last
}

// responds asks for both kinds of answers and wants the same of them.
func responds(t *testing.T, user, extra string, want []string) (kinds []string, whole gjson.Result) {
	t.Helper()
	body := `{"model":"m","input":"` + user + `"` + extra
	mock, server := start(t, llmtest.Options{AnswerTokens: 3})
	_, text := respond(t, server, body+"}")
	whole = gjson.Parse(text)
	served := mock.Ledger().Total.Tokens
	mock.Reset()
	_, text = respond(t, server, body+`,"stream":true}`)
	kinds, last := streamed(t, text)
	for _, response := range []gjson.Result{whole, last} {
		if diff := cmp.Diff(want, outputs(response)); diff != "" {
			t.Errorf("%s\n%s", diff, response.Raw)
		}
		usage := response.Get("usage")
		if usage.Get("output_tokens").Int() != served.Output+served.Reasoning || usage.Get("output_tokens_details.reasoning_tokens").Int() != served.Reasoning {
			t.Errorf("the ledger counts %+v, the answer %s", served, usage.Raw)
		}
	}
	if again := mock.Ledger().Total.Tokens; again != served {
		t.Errorf("the ledger counts %+v of a stream, %+v whole", again, served)
	}
	return kinds, whole
}

func TestResponseKinds(t *testing.T) {
	const user = "hello level flow"
	said, thought := llmtest.Answer(user, 0, 3), llmtest.Answer("thinking about "+user, 0, 4)
	const level, magic = `function_call level{"gauge":"the weir","marks":[7]}`, "OPENAI_MAGIC_STRING_TRIGGER_REFUSAL"
	for name, test := range map[string]struct {
		extra string
		want  []string
	}{
		"words":        {"", []string{"completed", "message " + said}},
		"one_tool":     {`,"tools":[` + ownLevel + `]`, []string{"completed", level}},
		"parallel":     {"," + ownTools, []string{"completed", level, "function_call flow{}"}},
		"not_parallel": {"," + ownTools + `,"parallel_tool_calls":false`, []string{"completed", level}},
		"required":     {"," + ownTools + `,"tool_choice":"required"`, []string{"completed", level}},
		"named":        {"," + ownTools + `,"tool_choice":{"type":"function","name":"flow"}`, []string{"completed", "function_call flow{}"}},
		"no_tool":      {"," + ownTools + `,"tool_choice":"none"`, []string{"completed", "message " + said}},
		"cut_off":      {"," + ownTools + `,"max_output_tokens":2`, []string{"incomplete max_output_tokens", `function_call level{"gauge":"the we`}},
		"json":         {`,"text":{"format":{"type":"json_object"}}`, []string{"completed", `message {"answer":"` + said + `"}`}},
		"schema": {`,"text":{"format":{"type":"json_schema","name":"s","schema":{"properties":{"a":{"type":"number"}}}}}`,
			[]string{"completed", `message {"a":7.5}`}},
		"thinking":      {`,"reasoning":{"effort":"low"}`, []string{"completed", "reasoning", "message " + said}},
		"summarized":    {`,"reasoning":{"effort":"low","summary":"auto"},` + ownTools, []string{"completed", "reasoning " + thought, level, "function_call flow{}"}},
		"sealed":        {`,"reasoning":{"effort":"low"},` + sealIt, []string{"completed", "reasoning sealed", "message " + said}},
		"thinking_only": {`,"reasoning":{"effort":"low","summary":"auto"},"max_output_tokens":4`, []string{"incomplete max_output_tokens", "reasoning " + thought}},
	} {
		t.Run(name, func(t *testing.T) { responds(t, user, test.extra, test.want) })
	}
	responds(t, magic, "", []string{"completed", "message " + llmtest.Answer(magic, 0, 3)})
}

// TestResponseEvents: the events of each kind of item, those in a row once.
func TestResponseEvents(t *testing.T) {
	thought := llmtest.Answer("thinking about level", 0, 4)
	kinds, whole := responds(t, "level", `,"reasoning":{"effort":"low","summary":"auto"},`+ownTools, []string{"completed", "reasoning " + thought, `function_call level{"gauge":"the weir","marks":[7]}`})
	want := strings.Fields(`created in_progress
		output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done reasoning_summary_part.done output_item.done
		output_item.added function_call_arguments.delta function_call_arguments.done output_item.done completed`)
	if diff := cmp.Diff("response."+strings.Join(want, " response."), strings.Join(kinds, " ")); diff != "" {
		t.Error(diff)
	}
	if whole.Get("tools").Raw != "["+ownLevel+","+ownFlow+"]" || whole.Get("reasoning.summary").Str != "auto" {
		t.Errorf("asked for something else: %s", whole.Raw)
	}
	kinds, _ = responds(t, "x OPENAI_MAGIC_STRING_TRIGGER_REFUSAL", "", []string{"completed", "message " + llmtest.Answer("x OPENAI_MAGIC_STRING_TRIGGER_REFUSAL", 0, 3)})
	if got := strings.Join(kinds[2:], " "); got != "response.output_item.added response.content_part.added response.refusal.delta response.refusal.done "+
		"response.content_part.done response.output_item.done response.completed" {
		t.Error(got)
	}
}

// TestResponseTurns: calls are answered, and reasoning comes back as it was.
func TestResponseTurns(t *testing.T) {
	_, server := start(t, llmtest.Options{AnswerTokens: 3})
	_, text := respond(t, server, `{"model":"m","input":"level",`+ownTools+`,"reasoning":{"effort":"low","summary":"auto"},`+sealIt+`}`)
	thought, call := gjson.Get(text, "output.0").Raw, gjson.Get(text, "output.1").Raw
	_, text = respond(t, server, `{"model":"m","input":"x","reasoning":{"effort":"low"}}`)
	kept, message := gjson.Get(text, "output.0").Raw, gjson.Get(text, "output.1").Raw
	id := gjson.Get(call, "call_id").Str
	result := fmt.Sprintf(`{"type":"function_call_output","call_id":%q,"output":"7.5"}`, id)
	const user, unsaved = `{"role":"user","content":"level"}`, `,"store":false`
	for name, test := range map[string]struct {
		items  []string
		extra  string
		status int
		want   string
	}{
		"answered":            {[]string{user, thought, call, result}, unsaved, 200, llmtest.Answer("", 0, 3)},
		"answered_later":      {[]string{user, call, user, result}, unsaved, 200, llmtest.Answer("", 0, 3)},
		"stored":              {[]string{user, kept, message, user}, "", 200, llmtest.Answer("level", 0, 3)},
		"unanswered":          {[]string{user, call}, unsaved, 400, "No tool output found for function call " + id + "."},
		"unasked":             {[]string{user, result}, unsaved, 400, "No tool call found for function call output with call_id " + id + "."},
		"answered_before":     {[]string{user, result, call}, unsaved, 400, "No tool call found"},
		"changed_seal":        {[]string{user, strings.Replace(thought, `content":"`, `content":"x`, 1), call, result}, unsaved, 400, "invalid_encrypted_content"},
		"changed_summary":     {[]string{user, strings.Replace(thought, `"text":"`, `"text":"x`, 1), call, result}, unsaved, 400, "invalid_encrypted_content"},
		"thought_of_nothing":  {[]string{user, thought}, unsaved, 400, "without its required following item"},
		"thought_of_the_user": {[]string{thought, user}, unsaved, 400, "without its required following item"},
		"not_stored":          {[]string{user, kept, message, user}, unsaved, 404, "not found. Items are not persisted"},
		"of_another":          {[]string{user, `{"type":"reasoning","id":"rs_1","summary":[]}`, message, user}, "", 404, "Item with id 'rs_1' not found"},
		"unnamed_call":        {[]string{user, `{"type":"function_call","call_id":"c","arguments":"{}"}`, result}, "", 400, "input[1]"},
		"unknown_part":        {[]string{`{"role":"user","content":[{"type":"text","text":"x"}]}`}, "", 400, "Invalid value: 'text'"},
		"image":               {[]string{`{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,AA=="}]}`}, "", 200, `"input_tokens":16,`},
		"nothing":             {nil, "", 400, "Missing required parameter: 'input'."},
		"unknown_tool":        {[]string{user}, `,"tool_choice":{"type":"function","name":"depth"}`, 400, "Tool choice 'depth' not found"},
		"no_tools":            {[]string{user}, `,"tool_choice":"required"`, 400, "must be specified with 'tools'"},
		"unnamed_schema":      {[]string{user}, `,"text":{"format":{"type":"json_schema","schema":{}}}`, 400, "'text.format.name'"},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := respond(t, server, `{"model":"m","input":[`+strings.Join(test.items, ",")+`]`+test.extra+`}`)
			if status != test.status || !strings.Contains(text, test.want) {
				t.Errorf("%d %s, want %d %s", status, text, test.status, test.want)
			}
		})
	}
}
