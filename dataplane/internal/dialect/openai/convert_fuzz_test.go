package openai_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
)

// FuzzSurfaceRequest: what a surface takes, both kinds of provider can write, as JSON with
// no text that the caller did not write.
func FuzzSurfaceRequest(f *testing.F) {
	f.Add([]byte(requestGolden))
	f.Add([]byte(with(`,"functions":[{"name":"f"}],"function_call":"auto","stop":["a"]`)))
	f.Add([]byte(saying(`{"role":"assistant","function_call":{"name":"f","arguments":"{}"}},{"role":"function","content":"x"}`)))
	f.Add([]byte(with(`,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"function":{"name":"b"}}]}}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		request, fault := openai.NewSurface().Request(body)
		if fault != nil {
			if fault.Message == "" {
				t.Fatal("a fault without words")
			}
			return
		}
		said := textsOf(t, body)
		for _, m := range request.Messages {
			for _, part := range m.Parts {
				if part.Text != "" && !said[part.Text] {
					t.Fatalf("%q was not said", part.Text)
				}
			}
		}
		for _, provider := range []*openai.Provider{openai.NewProvider(), openai.NewCompatible()} {
			written, _, err := provider.Request(request)
			if err != nil || !json.Valid(written) {
				t.Fatalf("%v: %s", err, written)
			}
		}
	})
}

// textsOf are the strings of a body.
func textsOf(t *testing.T, body []byte) map[string]bool {
	t.Helper()
	texts := make(map[string]bool)
	decoder := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return texts
		}
		if text, ok := token.(string); ok {
			texts[text] = true
		}
	}
}

// FuzzProviderAnswer: what a provider takes, a surface writes as JSON that a provider takes
// again, with the same words.
func FuzzProviderAnswer(f *testing.F) {
	f.Add([]byte(answerGolden))
	f.Add([]byte(`{"choices":[{"message":{"function_call":{"name":"f","arguments":""}},"finish_reason":"function_call"}]}`))
	f.Add([]byte(`{"choices":[{"index":-1,"message":{"content":"\ud800","reasoning":{"a":1}},"logprobs":7,"stop_reason":"x"}],"usage":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		openai.NewProvider().Failure(500, body)
		answer, err := openai.NewProvider().Answer(body)
		if err != nil {
			return
		}
		written, _ := openai.NewSurface().Answer(answer)
		again, err := openai.NewProvider().Answer(written)
		if err != nil {
			t.Fatalf("%v: %s", err, written)
		}
		if words(answer) != words(again) {
			t.Fatalf("%q became %q", words(answer), words(again))
		}
	})
}

// words are the text of an answer's first choice, by kind.
func words(answer *chat.Answer) string {
	var kinds [chat.Refusal + 1]string
	for _, part := range answer.Choices[0].Parts {
		kinds[part.Kind] += part.Text
	}
	return strings.Join(kinds[:], "\x00")
}

// FuzzProviderEvents: whatever comes, parts are in order (fold sees to that), and what a
// surface makes of it is JSON.
func FuzzProviderEvents(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(streamGolden(), "data: ", "")))
	f.Add([]byte(`{"error":{"code":429}}` + "\n\n" + `{"choices":[{"delta":{"function_call":{"name":"f"}},"finish_reason":"stop"},{"index":3,"delta":{"content":"a"}}]}`))
	f.Fuzz(func(t *testing.T, stream []byte) {
		provider, surface := openai.NewProvider(), openai.NewSurface()
		var list []chat.Event
		for data := range bytes.SplitSeq(stream, []byte("\n\n")) {
			var done bool
			var err error
			if list, done, err = provider.Events(list, nil, data); err != nil || done {
				break
			}
		}
		fold(t, list)
		for event := range bytes.SplitSeq(written(surface, list), []byte("\n\n")) {
			data, found := bytes.CutPrefix(event, []byte("data: "))
			if found && !openai.Done(data) && !json.Valid(data) {
				t.Fatalf("no JSON: %s", data)
			}
		}
	})
}
