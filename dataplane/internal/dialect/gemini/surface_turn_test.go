package gemini_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// TestSurfaceJoinsWhatStreamsTookApart in an answer that goes back, and nothing else.
func TestSurfaceJoinsWhatStreamsTookApart(t *testing.T) {
	user := `{"role":"user","parts":[{"text":"a"},{"text":"b"}]}`
	asked := chat.Message{Parts: []chat.Part{{Text: "a"}, {Text: "b"}}}
	text := func(text string) chat.Part { return chat.Part{Text: text} }
	for name, test := range map[string]struct {
		contents string
		want     []chat.Part
	}{
		"parts":     {`{"role":"model","parts":[{"text":"so"},{"text":" mu"},{"text":"ch"}]}`, []chat.Part{text("so much")}},
		"contents":  {`{"role":"model","parts":[{"text":"so"}]},{"role":"model","parts":[{"text":" much"}]},{"role":"model","parts":[{"text":""}]}`, []chat.Part{text("so much")}},
		"thoughts":  {`{"role":"model","parts":[{"thought":true,"text":"hm"},{"thought":true,"text":"m"},{"thought":true,"thoughtSignature":"c2ln"},{"text":"so"}]}`, []chat.Part{{Kind: chat.Thinking, Text: "hmm", Signature: "c2ln"}, text("so")}},
		"signed":    {`{"role":"model","parts":[{"thought":true,"text":"a","thoughtSignature":"c2ln"},{"thought":true,"text":"b"}]}`, []chat.Part{{Kind: chat.Thinking, Text: "a", Signature: "c2ln"}, {Kind: chat.Thinking, Text: "b"}}},
		"call_amid": {`{"role":"model","parts":[{"text":"a"},{"functionCall":{"id":"1","name":"f","args":{}}},{"text":"b"}]}`, []chat.Part{text("a"), {Kind: chat.Call, Call: &chat.ToolCall{ID: "1", Name: "f", Arguments: "{}"}}, text("b")}},
	} {
		t.Run(name, func(t *testing.T) {
			got := read(t, `{"contents":[`+user+`,`+test.contents+`,`+user+`]}`)
			want := []chat.Message{asked, {Role: chat.Assistant, Parts: test.want}, asked}
			if diff := cmp.Diff(want, got.Messages); diff != "" {
				t.Error(diff)
			}
		})
	}
}
