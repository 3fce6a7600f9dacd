package bedrock_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/bedrock"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// brief are events in short.
func brief(events []chat.Event) string {
	var b strings.Builder
	for _, e := range events {
		switch {
		case e.Begin != nil:
			b.WriteString("begin; ")
		case e.Open != nil:
			fmt.Fprintf(&b, "%d open %d", e.Open.Index, e.Open.Part.Kind)
			if call := e.Open.Part.Call; call != nil {
				fmt.Fprintf(&b, " %s %s", call.ID, call.Name)
			}
			if media := e.Open.Part.Media; media != nil {
				fmt.Fprintf(&b, " %s %s", media.Type, media.Data)
			}
			fmt.Fprintf(&b, "%s; ", e.Open.Part.Data)
		case e.Delta != nil:
			fmt.Fprintf(&b, "%d %s; ", e.Delta.Index, e.Delta.Text+e.Delta.Arguments+e.Delta.Signature)
		case e.Close != nil:
			fmt.Fprintf(&b, "%d close; ", e.Close.Index)
		case e.End != nil:
			fmt.Fprintf(&b, "end %d%s; ", e.End.Stop, e.End.Sequence)
		case e.Usage != nil:
			fmt.Fprintf(&b, "usage %d %d %s; ", e.Usage.Tokens.Input, e.Usage.Tokens.Output, e.Usage.ServiceTier)
		case e.Failure != nil:
			fmt.Fprintf(&b, "failure %d %s %s; ", e.Failure.Status, e.Failure.Type, e.Failure.Message)
		}
	}
	return b.String()
}

const (
	start    = `messageStart {"p":"ab","role":"assistant"}`
	stop     = `messageStop {"p":"abc","stopReason":"end_turn"}`
	metadata = `metadata {"metrics":{"latencyMs":7},"serviceTier":{"type":"flex"},"usage":{"inputTokens":4,"outputTokens":3,"totalTokens":7}}`
)

func delta(index int, fields string) string {
	return fmt.Sprintf(`contentBlockDelta {"contentBlockIndex":%d,"delta":{%s},"p":"abc"}`, index, fields)
}

func blockStop(index int) string {
	return fmt.Sprintf(`contentBlockStop {"contentBlockIndex":%d}`, index)
}

func toolStart(index int, fields string) string {
	return fmt.Sprintf(`contentBlockStart {"contentBlockIndex":%d,"start":{"toolUse":{%s}}}`, index, fields)
}

func TestEvents(t *testing.T) {
	ended := fmt.Sprintf("end %d; usage 4 3 flex; ", chat.StopEnd)
	for name, test := range map[string]struct {
		events []string
		want   string
		done   bool
	}{
		"text": {[]string{start, delta(0, `"text":""`), delta(0, `"text":"a"`), delta(0, `"text":"b"`), blockStop(0), stop, metadata},
			"begin; 0 open 0; 0 a; 0 b; 0 close; " + ended, true},
		"all_kinds": {[]string{start,
			delta(0, `"reasoningContent":{"text":"h"}`), delta(0, `"reasoningContent":{"text":"m"}`), delta(0, `"reasoningContent":{"signature":"c2ln"}`), blockStop(0),
			delta(1, `"reasoningContent":{"redactedContent":"cmVk"}`), blockStop(1), delta(2, `"text":"a"`), blockStop(2),
			toolStart(3, `"toolUseId":"t1","name":"f"`), delta(3, `"toolUse":{"input":"{\"n\""}`), delta(3, `"toolUse":{"input":":1}"}`), blockStop(3),
			toolStart(4, `"toolUseId":"t2","name":"g"`), delta(4, `"toolUse":{"input":""}`), blockStop(4),
			delta(5, `"image":{"format":"png","source":{"bytes":"aGk="}}`), blockStop(5),
			`messageStop {"stopReason":"tool_use"}`, metadata},
			fmt.Sprintf("begin; 0 open %d; 0 h; 0 m; 0 c2ln; 0 close; 1 open %dcmVk; 1 close; 2 open 0; 2 a; 2 close; 3 open %[3]d t1 f; 3 {\"n\"; 3 :1}; 3 close; 4 open %[3]d t2 g; 4 close; 5 open %d image/png aGk=; 5 close; end %d; usage 4 3 flex; ",
				chat.Thinking, chat.Redacted, chat.Call, chat.Image, chat.StopTools), true},
		"stops_left_out": {[]string{start, delta(0, `"reasoningContent":{"text":"h"}`), delta(1, `"text":"a"`), stop, metadata},
			fmt.Sprintf("begin; 0 open %d; 0 h; 0 close; 1 open 0; 1 a; 1 close; ", chat.Thinking) + ended, true},
		"kind_changes": {[]string{start, delta(0, `"reasoningContent":{"text":"h"}`), delta(0, `"text":"a"`), blockStop(0), stop, metadata},
			fmt.Sprintf("begin; 0 open %d; 0 h; 0 close; 1 open 0; 1 a; 1 close; ", chat.Thinking) + ended, true},
		"passed_over": {[]string{start, toolStart(0, `"toolUseId":"t","name":"nova_grounding","type":"server_tool_use"`), delta(0, `"toolUse":{"input":"{}"}`), blockStop(0),
			`contentBlockStart {"contentBlockIndex":1,"start":{"toolResult":{"toolUseId":"t"}}}`, delta(1, `"toolResult":[{"text":"x"}]`), blockStop(1),
			delta(2, `"text":"a"`), delta(2, `"citation":{"title":"x"}`), blockStop(2), `somethingNew {"a":1}`, stop, metadata},
			"begin; 0 open 0; 0 a; 0 close; " + ended, true},
		"sequence": {[]string{start, `messageStop {"stopReason":"stop_sequence","additionalModelResponseFields":{"stop_sequence":"END"}}`, `metadata {"usage":{"inputTokens":1}}`},
			fmt.Sprintf("begin; end %dEND; ", chat.StopSequence), true},
		"torn":      {[]string{start, delta(0, `"text":"a"`)}, "begin; 0 open 0; 0 a; ", false},
		"no_end":    {[]string{start, metadata}, "begin; usage 4 3 flex; ", false},
		"exception": {[]string{start, `!throttlingException {"message":"Slow down."}`}, "begin; failure 429 ThrottlingException Slow down.; ", false},
		"model":     {[]string{`!modelStreamErrorException {"message":"broke","originalStatusCode":500}`}, "failure 424 ModelStreamErrorException broke; ", false},
		"invalid":   {[]string{`!validationException {"message":"bad"}`}, "failure 400 ValidationException bad; ", false},
		"error":     {[]string{`!InternalFailure it broke`}, "failure 500 InternalFailure it broke; ", false},
		"no_text":   {[]string{`!`}, "failure 500  The upstream answered with status 500.; ", false},
		"after_all": {[]string{start, stop, metadata, delta(0, `"text":"a"`)}, "begin; " + ended, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, done, err := follow(bedrock.NewProvider(), test.events...)
			if err != nil || got != test.want || done != test.done {
				t.Errorf("done %v, %v\n%s, want\n%s", done, err, got, test.want)
			}
		})
	}
}

func follow(provider *bedrock.Provider, lines ...string) (string, bool, error) {
	var events []chat.Event
	done := false
	for _, line := range lines {
		name, data, _ := strings.Cut(line, " ")
		var err error
		if events, done, err = provider.Events(events, []byte(name), []byte(data)); err != nil {
			return brief(events), done, err
		}
	}
	return brief(events), done, nil
}

func TestEventsThatAreBroken(t *testing.T) {
	for name, events := range map[string][]string{
		"not_json":            {start, `contentBlockDelta {"contentBlockIndex"`},
		"before_the_start":    {delta(0, `"text":"a"`)},
		"metadata_first":      {metadata},
		"two_starts":          {start, start},
		"two_ends":            {start, stop, stop},
		"behind_the_end":      {start, stop, delta(0, `"text":"a"`)},
		"input_of_no_tool":    {start, delta(0, `"toolUse":{"input":"{}"}`)},
		"input_after_its_end": {start, toolStart(0, `"toolUseId":"t","name":"f"`), blockStop(0), delta(0, `"toolUse":{"input":"{}"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			if got, done, err := follow(bedrock.NewProvider(), events...); err == nil || done {
				t.Errorf("%s, %v, %v", got, done, err)
			}
		})
	}
}

func TestEmulatedStream(t *testing.T) {
	provider := bedrock.NewProvider()
	if _, _, err := provider.Request(hello(chat.Request{Model: haiku, Format: chat.Format{Shape: chat.JSONSchema, Name: "n", Schema: "{}"}})); err != nil {
		t.Fatal(err)
	}
	got, done, err := follow(provider, start, toolStart(0, `"toolUseId":"t","name":"n"`), delta(0, `"toolUse":{"input":"{\"a\""}`), delta(0, `"toolUse":{"input":":1}"}`), blockStop(0),
		`messageStop {"stopReason":"tool_use"}`, metadata)
	if want := fmt.Sprintf("begin; 0 open 0; 0 {\"a\"; 0 :1}; 0 close; end %d; usage 4 3 flex; ", chat.StopEnd); got != want || !done || err != nil {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}
