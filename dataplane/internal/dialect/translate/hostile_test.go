package translate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
	"github.com/weirhq/weir/dataplane/internal/dialect/translate"
)

// asks are bodies of each surface but for the end: what a hostile caller adds comes there.
var asks = map[string]struct {
	surface func() chat.Surface
	body    string
}{
	"chat":      {func() chat.Surface { return openai.NewSurface() }, `{"model":"m","messages":[{"role":"user","content":"hi"}]`},
	"messages":  {func() chat.Surface { return anthropic.NewSurface() }, `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]`},
	"responses": {func() chat.Surface { return responses.NewSurface() }, `{"model":"m","input":"hi"`},
	"gemini":    {func() chat.Surface { return gemini.NewSurface() }, `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]`},
}

// TestManyUnknownFields are named up to a bound: each name is compared with those before.
func TestManyUnknownFields(t *testing.T) {
	var fields strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&fields, `,"f%d":1`, i)
	}
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) {
			attempt := translate.New(ask.surface(), openai.NewProvider(), "id")
			_, fault := attempt.Request([]byte(ask.body+fields.String()+"}"), "m", false)
			if lossy := attempt.Lossy(); len(lossy) > 65 || fault == nil && len(lossy) < 30 {
				t.Errorf("%d names, %v", len(lossy), fault)
			}
		})
	}
}

// TestDeepRequests are refused where each level would be read again for the one above it.
func TestDeepRequests(t *testing.T) {
	nested := func(open, inside, end string, depth int) string {
		return strings.Repeat(open, depth) + inside + strings.Repeat(end, depth)
	}
	results := func(depth int) string {
		return `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":[` +
			nested(`{"type":"tool_result","tool_use_id":"c","content":[`, `{"type":"text","text":"a"}`, `]}`, depth) + `]}]}`
	}
	documents := func(depth int) string {
		return `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":[` +
			nested(`{"type":"document","source":{"type":"content","content":[`, `{"type":"text","text":"a"}`, `]}}`, depth) + `]}]}`
	}
	parameters := func(open, end string) func(int) string {
		return func(depth int) string {
			return asks["gemini"].body + `,"tools":[{"functionDeclarations":[{"name":"t","parameters":` + nested(open, `{}`, end, depth) + `}]}]}`
		}
	}
	for name, test := range map[string]struct {
		surface string
		body    func(depth int) string
		most    int
	}{
		"results":    {"messages", results, 2},
		"documents":  {"messages", documents, 2},
		"properties": {"gemini", parameters(`{"properties":{"a":`, `}}`), 49},
		"items":      {"gemini", parameters(`{"items":`, `}`), 49},
		"any_of":     {"gemini", parameters(`{"anyOf":[`, `]}`), 49},
	} {
		t.Run(name, func(t *testing.T) {
			for _, depth := range []int{1, test.most, test.most + 1, 3_000} {
				attempt := translate.New(asks[test.surface].surface(), anthropic.NewProvider(), "id")
				_, fault := attempt.Request([]byte(test.body(depth)), "m", false)
				if deep := fault != nil && strings.Contains(fault.Message, "too deep"); deep != (depth > test.most) {
					t.Errorf("%d deep: %v", depth, fault)
				}
			}
		})
	}
}

// TestAnswersInManyPieces are put together at a cost of their length, not its square: the
// race detector and slow machines finish in time.
func TestAnswersInManyPieces(t *testing.T) {
	const pieces = 300_000
	parts := strings.TrimSuffix(strings.Repeat(`{"text":"abcdefgh"},`, pieces), ",")
	attempt := translate.New(openai.NewSurface(), gemini.NewProvider(), "id")
	answer, _, err := attempt.Whole([]byte(`{"candidates":[{"content":{"parts":[` + parts + `]},"finishReason":"STOP"}]}`))
	if want := strings.Repeat("abcdefgh", pieces); err != nil || !strings.Contains(string(answer), `"content":"`+want+`"`) {
		t.Errorf("%d bytes, %v", len(answer), err)
	}
	surface := gemini.NewSurface()
	surface.Event(nil, chat.Event{Open: &chat.Open{Part: chat.Part{Kind: chat.Call, Call: &chat.ToolCall{Name: "t"}}}})
	arguments := []string{`{"a":"`}
	for range pieces {
		arguments = append(arguments, "abcdefgh")
	}
	for _, piece := range append(arguments, `"}`) {
		surface.Event(nil, chat.Event{Delta: &chat.Delta{Arguments: piece}})
	}
	if written := surface.Event(nil, chat.Event{Close: &chat.Close{}}); len(written) < 8*pieces || !strings.Contains(string(written), `"name":"t"`) {
		t.Errorf("%d bytes", len(written))
	}
}

// TestNothingFollowsAFailure: an upstream that goes on after its error is not heard, but for
// what it used.
func TestNothingFollowsAFailure(t *testing.T) {
	const failure = `{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED"}}`
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) {
			attempt := translate.New(ask.surface(), gemini.NewProvider(), "id")
			if _, fault := attempt.Request([]byte(ask.body+"}"), "m", true); fault != nil {
				t.Fatal(fault)
			}
			said := dialect.Stream{Request: &dialect.Request{Choices: 1}}
			var written []string
			for _, data := range []string{
				`{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}`, failure, failure,
				`{"candidates":[{"content":{"parts":[{"text":"b"}]}}]}`,
				`{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2}}`,
			} {
				wire, _, err := attempt.Event(nil, &said, nil, []byte(data))
				if err != nil {
					t.Fatal(err)
				}
				written = append(written, string(wire))
			}
			if !strings.Contains(written[1], "slow") || strings.Join(written[2:], "") != "" || attempt.Finish(nil) != nil {
				t.Errorf("%q", written)
			}
			if !said.Answer.Failed || said.Answer.Usage.GetInput() != 3 {
				t.Errorf("%+v", said.Answer)
			}
		})
	}
}

// TestManyResults are paired with their calls at a cost of their number, in either order.
func TestManyResults(t *testing.T) {
	const count = 50_000
	var calls, results []string
	for i := range count {
		calls = append(calls, fmt.Sprintf(`{"functionCall":{"name":"t%d"}}`, i))
		results = append(results, fmt.Sprintf(`{"functionResponse":{"name":"t%d","response":{}}}`, count-1-i))
	}
	body := `{"contents":[{"role":"model","parts":[` + strings.Join(calls, ",") + `]},{"role":"user","parts":[` + strings.Join(results, ",") + `]}]}`
	attempt := translate.New(gemini.NewSurface(), openai.NewProvider(), "id")
	sent, fault := attempt.Request([]byte(body), "m", false)
	_, first, _ := strings.Cut(string(sent), `{"role":"tool"`)
	first, _, _ = strings.Cut(first, `{"role":"tool"`)
	if fault != nil || strings.Count(string(sent), `"role":"tool"`) != count || !strings.Contains(first, fmt.Sprintf(`"weir_call_%d"`, count)) {
		t.Errorf("%d bytes, %v: %.300s", len(sent), fault, first)
	}
}
