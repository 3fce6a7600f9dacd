package dialect_test

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/metered"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
)

func TestTextBytes(t *testing.T) {
	for name, c := range map[string]struct {
		of   dialect.Teller
		data string
		want int64
	}{
		"chat":         {openai.Chat{}, `{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":"hello"},"finish_reason":null}]}`, 5},
		"spaced":       {openai.Chat{}, `{"choices": [ { "delta": { "content" : "hello" } } ] }`, 5},
		"two_choices":  {openai.Chat{}, `{"choices":[{"delta":{"content":"he"}},{"delta":{"content":"llo","reasoning_content":"hm"}}]}`, 7},
		"arguments":    {openai.Chat{}, `{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"{\"a\":"}}]}}]}`, 7},
		"quoted":       {openai.Chat{}, `{"choices":[{"delta":{"content":"\"content\":\"x\"\\"}}]}`, 19},
		"null":         {openai.Chat{}, `{"choices":[{"delta":{"content":null},"text":""}]}`, 0},
		"torn":         {openai.Chat{}, `{"choices":[{"delta":{"content":"hel`, 3},
		"end":          {openai.Chat{}, `{"content"`, 0},
		"completion":   {metered.Completions{}, `{"choices":[{"text":"hello"}]}`, 5},
		"delta":        {responses.Passed{}, `{"type":"response.output_text.delta","delta":"hello"}`, 5},
		"not_repeated": {responses.Passed{}, `{"type":"response.output_text.done","text":"hello hello"}`, 0},
		"messages":     {anthropic.Messages{}, `{"type":"content_block_delta","delta":{"type":"text_delta","text":"hello"}}`, 5},
		"thinking":     {anthropic.Messages{}, `{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}}`, 2},
		"input":        {anthropic.Messages{}, `{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"a"}}`, 4},
		"gemini":       {gemini.Generate{}, `{"candidates":[{"content":{"parts":[{"text":"hello"},{"text":"you"}]}}]}`, 8},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.of.TextBytes([]byte(c.data)); got != c.want {
				t.Errorf("%d bytes, want %d", got, c.want)
			}
		})
	}
}

func FuzzTextIn(f *testing.F) {
	names := [][]byte{[]byte(`"content"`), []byte(`"text"`)}
	for _, seed := range []string{`{"content":"a\"b"}`, `"content"`, `"content":"\\`, strings.Repeat(`"text":"`, 3)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		if n := dialect.TextIn([]byte(data), names); n < 0 || n > int64(2*len(data)) {
			t.Errorf("%d bytes of text in %d", n, len(data))
		}
	})
}
