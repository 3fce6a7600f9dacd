package responses_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	logprobs    = `{"content":[{"token":"7","logprob":-0.1,"bytes":[55],"top_logprobs":[]}],"refusal":null}`
	tokens      = `[{"token":"7","logprob":-0.1,"bytes":[55],"top_logprobs":[]}]`
	usageGolden = `{"input_tokens":20,"input_tokens_details":{"cached_tokens":8,"cache_write_tokens":5},"output_tokens":29,"output_tokens_details":{"reasoning_tokens":20},"total_tokens":49}`
	echoGolden  = `"background":false,"instructions":null,"max_output_tokens":null,"metadata":{},"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":false,"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled"`
)

func goldenAnswer() *chat.Answer {
	return &chat.Answer{
		ID: "msg_01", Model: "m-2026", Created: time.Unix(5, 0),
		Usage: chat.Usage{ServiceTier: "default", Tokens: &usagev1.TokenUsage{Input: 7, CacheRead: 8, CacheWrite_5M: 4, CacheWrite_1H: 1, Output: 9, Reasoning: 20}},
		Choices: []chat.Choice{{Stop: chat.StopTools, Logprobs: logprobs, Parts: []chat.Part{
			{Kind: chat.Thinking, Text: "Look.", Signature: "EqoB"}, {Kind: chat.Redacted, Data: "Em=="}, textPart("7 m"), {Kind: chat.Refusal, Text: "No."},
			{Kind: chat.Call, Signature: "sig", Call: &chat.ToolCall{ID: "c1", Name: "level", Arguments: `{"a":1}`}}, callPart("c2", "flow", ""),
		}}},
	}
}

const itemsGolden = `[
 {"id":"rs_msg_01_0","type":"reasoning","status":"completed","summary":[{"type":"summary_text","text":"Look."}],"encrypted_content":"thinking:EqoB"},
 {"id":"rs_msg_01_1","type":"reasoning","status":"completed","summary":[],"encrypted_content":"redacted:Em=="},
 {"id":"msg_msg_01_2","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"7 m","annotations":[],"logprobs":` + tokens + `},{"type":"refusal","refusal":"No."}]},
 {"id":"rs_msg_01_3","type":"reasoning","status":"completed","summary":[],"encrypted_content":"call:sig"},
 {"id":"fc_msg_01_4","type":"function_call","status":"completed","call_id":"c1","name":"level","arguments":"{\"a\":1}"},
 {"id":"fc_msg_01_5","type":"function_call","status":"completed","call_id":"c2","name":"flow","arguments":"{}"}]`

func equalJSON(t *testing.T, want, got string) {
	t.Helper()
	var w, g any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%s: %v", want, err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Error(diff)
	}
}

func TestSurfaceWritesAnAnswer(t *testing.T) {
	body, lossy := responses.NewSurface().Answer(goldenAnswer())
	equalJSON(t, `{"id":"resp_msg_01","object":"response","created_at":5,"status":"completed","model":"m-2026","error":null,"incomplete_details":null,"service_tier":"default","usage":`+usageGolden+`,`+echoGolden+`,"output":`+itemsGolden+`}`, string(body))
	if lossy != nil {
		t.Error(lossy)
	}
}

func TestAnswersRepeatTheRequest(t *testing.T) {
	surface := responses.NewSurface()
	if _, fault := surface.Request([]byte(with(`,"temperature":0.70,"tools":[{"type":"function","name":"f"}],"store":true,"metadata":{"a":"b"}`))); fault != nil {
		t.Fatal(fault)
	}
	body, _ := surface.Answer(&chat.Answer{})
	for _, want := range []string{`"temperature":0.70`, `"tools":[{"type":"function","name":"f"}]`, `"store":false`, `"metadata":{"a":"b"}`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
}

func TestSurfaceWritesWhyAnAnswerEnded(t *testing.T) {
	for stop, want := range map[chat.Stop]string{
		chat.StopEnd: `"status":"completed","role":"assistant"`, chat.StopUnknown: `"incomplete_details":null`,
		chat.StopLength: `"incomplete_details":{"reason":"max_output_tokens"}`, chat.StopPaused: `"status":"incomplete","role":"assistant"`,
		chat.StopFiltered: `"incomplete_details":{"reason":"content_filter"}`,
	} {
		body, _ := responses.NewSurface().Answer(&chat.Answer{Choices: []chat.Choice{{Stop: stop, Parts: []chat.Part{textPart("a")}}}})
		if !strings.Contains(string(body), want) {
			t.Errorf("%v: %s", stop, body)
		}
	}
}

func TestSurfaceNamesWhatAnAnswerLoses(t *testing.T) {
	_, lossy := responses.NewSurface().Answer(&chat.Answer{Lossy: chat.Lossy{"x"}, Choices: []chat.Choice{
		{Stop: chat.StopSequence, Sequence: "END", Parts: []chat.Part{{Kind: chat.Image, Media: &chat.Media{}}}}, {}}})
	if diff := cmp.Diff(chat.Lossy{"x", "choices", "stop_sequence", "output"}, lossy); diff != "" {
		t.Error(diff)
	}
}

// randomAnswer has no text beside text: those would be one message's.
func randomAnswer(random *rand.Rand) *chat.Answer {
	answer := goldenAnswer()
	choice := &answer.Choices[0]
	choice.Parts, choice.Logprobs, choice.Stop = nil, "", []chat.Stop{chat.StopEnd, chat.StopLength, chat.StopFiltered}[random.IntN(3)]
	text := func() string { return "t" + []string{"", "\"\n", "β", "<&>", "\u2028"}[random.IntN(5)] }
	for i := range random.IntN(6) {
		switch random.IntN(5) {
		case 0:
			part := chat.Part{Kind: chat.Thinking, Text: []string{"", text()}[random.IntN(2)], Signature: "sig"}
			if part.Text != "" {
				part.Signature = []string{"", "sig"}[random.IntN(2)]
			}
			choice.Parts = append(choice.Parts, part)
		case 1:
			choice.Parts = append(choice.Parts, chat.Part{Kind: chat.Redacted, Data: text()})
		case 2:
			choice.Parts = append(choice.Parts, textPart(text()))
		case 3:
			choice.Parts = append(choice.Parts, chat.Part{Kind: chat.Refusal, Text: text()})
		case 4:
			part := callPart(fmt.Sprint("c", i), "f", `{"a": 1}`)
			part.Signature = []string{"", "sig"}[random.IntN(2)]
			choice.Parts = append(choice.Parts, part)
		}
	}
	return answer
}

// TestAnswersComeBackAsTheyWere: the items of an answer, sent back as input, are the same
// parts.
func TestAnswersComeBackAsTheyWere(t *testing.T) {
	for seed := range uint64(300) {
		answer := randomAnswer(rand.New(rand.NewPCG(seed, 1)))
		body, _ := responses.NewSurface().Answer(answer)
		var got struct{ Output json.RawMessage }
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		list := strings.TrimSuffix(string(got.Output), "]")
		if list != "[" {
			list += ","
		}
		request, fault := responses.NewSurface().Request([]byte(`{"model":"m","input":` + list + `{"role":"user","content":"go on"}]}`))
		if fault != nil {
			t.Fatal(fault)
		}
		if len(answer.Choices[0].Parts) == 0 {
			continue
		}
		if diff := cmp.Diff(answer.Choices[0].Parts, request.Messages[0].Parts); diff != "" || request.Lossy != nil {
			t.Fatalf("seed %d: %s %v", seed, diff, request.Lossy)
		}
	}
}

// FuzzSurfaceRequest: whatever comes, there is a fault with words, or a request whose answer
// repeats it as JSON.
func FuzzSurfaceRequest(f *testing.F) {
	f.Add([]byte(requestGolden))
	f.Add([]byte(with(`,"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"name":"b"}]},"text":{"format":{"type":"text"}}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		surface := responses.NewSurface()
		request, fault := surface.Request(body)
		if fault != nil {
			if fault.Message == "" {
				t.Fatal("a fault without words")
			}
			return
		}
		for _, m := range request.Messages {
			for _, part := range m.Parts {
				if part.Kind == chat.Call && !json.Valid([]byte(part.Call.Arguments)) {
					t.Fatalf("arguments %q", part.Call.Arguments)
				}
			}
		}
		if answer, _ := surface.Answer(&chat.Answer{}); !json.Valid(bytes.TrimSpace(answer)) {
			t.Fatalf("no JSON: %s", answer)
		}
	})
}
