package gemini_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
)

// brief writes events so that they can be compared at a glance.
func brief(events []chat.Event) string {
	var b strings.Builder
	for _, e := range events {
		switch {
		case e.Begin != nil:
			fmt.Fprintf(&b, "begin %s %s; ", e.Begin.ID, e.Begin.Model)
		case e.Open != nil:
			fmt.Fprintf(&b, "%d.%d open %d", e.Open.Choice, e.Open.Index, e.Open.Part.Kind)
			if call := e.Open.Part.Call; call != nil {
				fmt.Fprintf(&b, " %s %s %s", call.ID, call.Name, e.Open.Part.Signature)
			}
			b.WriteString("; ")
		case e.Delta != nil:
			fmt.Fprintf(&b, "%d.%d %s%s%s; ", e.Delta.Choice, e.Delta.Index, e.Delta.Text, e.Delta.Arguments, e.Delta.Signature)
		case e.Close != nil:
			fmt.Fprintf(&b, "%d.%d close; ", e.Close.Choice, e.Close.Index)
		case e.End != nil:
			fmt.Fprintf(&b, "%d end %d; ", e.End.Choice, e.End.Stop)
		case e.Usage != nil:
			fmt.Fprintf(&b, "usage %d %d; ", e.Usage.Tokens.Input, e.Usage.Tokens.Output)
		case e.Failure != nil:
			fmt.Fprintf(&b, "failure %d %s %s; ", e.Failure.Status, e.Failure.Type, e.Failure.Message)
		}
	}
	return b.String()
}

func TestProviderReadsAStream(t *testing.T) {
	for name, test := range map[string]struct {
		n      int64
		chunks []string
		want   string
		done   bool
	}{
		"all": {1, []string{``,
			`{"candidates":[{"content":{"parts":[{"text":"h","thought":true}],"role":"model"}}],"usageMetadata":{"promptTokenCount":4},"modelVersion":"m","responseId":"r"}`,
			`{"candidates":[{"content":{"parts":[{"text":"m","thought":true}]}}],"usageMetadata":{"promptTokenCount":4}}`,
			`{"candidates":[{"content":{"parts":[{"text":"a"},{"text":"b"}]}}]}`,
			`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"n":1}},"thoughtSignature":"c2ln"},{"functionCall":{"id":"i","name":"g","args":{}}}]}}]}`,
			`{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":4,"candidatesTokenCount":3}}`},
			fmt.Sprintf("begin r m; 0.0 open %[1]d; 0.0 h; 0.0 m; 0.0 close; 0.1 open %[2]d; 0.1 a; 0.1 b; 0.1 close; 0.2 open %[3]d call_r_0 f c2ln; 0.2 {\"n\":1}; 0.2 close; 0.3 open %[3]d i g ; 0.3 {}; 0.3 close; 0 end %[4]d; usage 4 3; ",
				chat.Thinking, chat.Text, chat.Call, chat.StopTools), true},
		"signature_ends_a_text": {1, []string{
			`{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"responseId":"r"}`,
			`{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"c2ln"}]},"finishReason":"MAX_TOKENS"}]}`},
			fmt.Sprintf("begin r ; 0.0 open 0; 0.0 a; 0.0 c2ln; 0.0 close; 0 end %d; ", chat.StopLength), true},
		"a_text_behind_a_signature": {1, []string{
			`{"candidates":[{"content":{"parts":[{"text":"a","thoughtSignature":"c2ln"},{"text":"b"}]},"finishReason":"STOP"}]}`},
			fmt.Sprintf("begin  ; 0.0 open 0; 0.0 ac2ln; 0.0 close; 0.1 open 0; 0.1 b; 0.1 close; 0 end %d; ", chat.StopEnd), true},
		"two_candidates": {2, []string{
			`{"candidates":[{"content":{"parts":[{"text":"a"}]},"index":1},{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}]}`,
			`{"candidates":[{"index":1,"finishReason":"RECITATION"}],"usageMetadata":{"promptTokenCount":1}}`},
			fmt.Sprintf("begin  ; 1.0 open 0; 1.0 a; 0.0 open 0; 0.0 b; 0.0 close; 0 end %d; 1.0 close; 1 end %d; usage 1 0; ", chat.StopEnd, chat.StopFiltered), true},
		"blocked": {1, []string{`{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":1},"modelVersion":"m"}`},
			fmt.Sprintf("begin  m; 0 end %d; usage 1 0; ", chat.StopFiltered), true},
		"error": {1, []string{`{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}`}, "failure 503 UNAVAILABLE busy; ", false},
		"torn":  {1, []string{`{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}`}, "begin  ; 0.0 open 0; 0.0 a; ", false},
	} {
		t.Run(name, func(t *testing.T) {
			provider := gemini.NewProvider()
			if _, _, err := provider.Request(hello(chat.Request{N: test.n})); err != nil {
				t.Fatal(err)
			}
			var events []chat.Event
			done := false
			for _, chunk := range test.chunks {
				var err error
				if events, done, err = provider.Events(events, nil, []byte(chunk)); err != nil {
					t.Fatal(err)
				}
			}
			if got := brief(events); got != test.want || done != test.done {
				t.Errorf("done %v\n%s, want\n%s", done, got, test.want)
			}
		})
	}
	if _, _, err := gemini.NewProvider().Events(nil, nil, []byte(`{"candidates":[`)); err == nil {
		t.Error("a broken event is taken")
	}
}
