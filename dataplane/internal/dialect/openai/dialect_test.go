package openai_test

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
)

const usageEvent = `{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30}}`

func TestStreamIsFollowed(t *testing.T) {
	stop := `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
	for name, test := range map[string]struct {
		request       dialect.Request
		events        []string
		hidden, total bool
		failed        bool
	}{
		"usage_only_the_agent_asked_for": {dialect.Request{Stream: true, Choices: 1}, []string{stop, usageEvent}, true, true, false},
		"usage_asked_for":                {dialect.Request{Stream: true, Choices: 1, AsksUsage: true}, []string{stop, usageEvent}, false, true, false},
		"no_stream_asked_for":            {dialect.Request{Choices: 1}, []string{usageEvent}, false, true, false},
		"usage_so_far":                   {dialect.Request{Stream: true, Choices: 2}, []string{stop, strings.Replace(usageEvent, "[]", "[{}]", 1)}, false, false, false},
		"error":                          {dialect.Request{Stream: true, Choices: 1}, []string{`{"error":{"message":"m"}}`}, false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := dialect.Stream{Request: &test.request}
			var hidden bool
			for _, event := range test.events {
				hidden = openai.Chat{}.Look(&s, []byte(event))
			}
			if hidden != test.hidden || s.Total != test.total || s.Answer.Failed != test.failed {
				t.Errorf("hidden %v, stream %+v", hidden, s)
			}
			if told := s.Answer.Usage.GetInput(); told != 10 && !test.failed {
				t.Errorf("usage %v", s.Answer.Usage)
			}
		})
	}
}

// TestLookingAllocatesNothing: an event with content costs no memory, through the
// interface too.
func TestLookingAllocatesNothing(t *testing.T) {
	var chat dialect.Dialect = openai.Chat{}
	s := &dialect.Stream{Request: &dialect.Request{Choices: 1}}
	event := []byte(`{"choices":[{"index":0,"delta":{"content":" water"},"finish_reason":null}],"usage":null}`)
	if n := testing.AllocsPerRun(100, func() { _ = chat.Look(s, event) || chat.Opens(event) || chat.Done(event) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
