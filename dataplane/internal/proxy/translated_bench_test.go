package proxy_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// longTalk is a chat of 20 KB: a system prompt, turns, tools, calls and their results.
func longTalk(rest string) string {
	var b strings.Builder
	b.WriteString(`{"model":"routed","max_completion_tokens":100,"messages":[{"role":"system","content":"` + strings.Repeat("Be brief about weirs. ", 100) + `"}`)
	for i := range 12 {
		fmt.Fprintf(&b, `,{"role":"user","content":"%s"},{"role":"assistant","content":null,"tool_calls":[{"id":"c%d","type":"function","function":{"name":"level","arguments":"{\"gauge\":\"north\"}"}}]},`+
			`{"role":"tool","tool_call_id":"c%d","content":"%s"}`, strings.Repeat("how much water passed ", 30), i, i, strings.Repeat("7 m ", 80))
	}
	b.WriteString(`],"tools":[{"type":"function","function":{"name":"level","description":"of a gauge","parameters":{"type":"object","properties":{"gauge":{"type":"string"}}}}}]` + rest + `}`)
	return b.String()
}

// turn is one way of a benchmark: a target, and what it answers from memory.
type turn struct {
	name, kind, answer string
	targets            []*policyv1.Target
}

// BenchmarkTranslated compares requests of 20 KB of OpenAI's dialect that pass and that are
// translated, in turns, without network and spool: whole answers, and streams of 1,000 events.
// It reports the medians, and what a request and an event cost more.
func BenchmarkTranslated(b *testing.B) {
	const events = 1000
	chunk := `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"water "},"finish_reason":null}]}` + "\n\n"
	delta := "event: content_block_delta\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"water "}}` + "\n\n"
	for _, bench := range []struct {
		name, rest string
		per        float64
		turns      [2]turn
	}{
		{"request", "", 1, [2]turn{
			{"pass", "application/json", openAIAnswer, toGPT},
			{"translate", "application/json", `{"type":"message","id":"m","model":"m","content":[{"type":"text","text":"so much"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":20}}`, toSonnet},
		}},
		{"event", `,"stream":true`, events, [2]turn{
			{"pass", "text/event-stream", strings.Repeat(chunk, events) + `data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n", toGPT},
			{"translate", "text/event-stream", `data: {"type":"message_start","message":{"id":"m","model":"m","usage":{"input_tokens":10,"output_tokens":1}}}` + "\n\n" +
				`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n" + strings.Repeat(delta, events) +
				`data: {"type":"content_block_stop","index":0}` + "\n\n" + `data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":20}}` + "\n\n" +
				`data: {"type":"message_stop"}` + "\n\n", toSonnet},
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			body := longTalk(bench.rest)
			var run [2]func()
			for i, turn := range bench.turns {
				h := claude(b, turn.targets, func(c *proxy.Config) {
					c.Transport, c.Recorder, c.Logger = canned{[]byte(turn.answer), turn.kind}, forgetful{}, slog.New(slog.DiscardHandler)
				})
				run[i] = func() {
					request := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
					request.Header.Set("Authorization", "Bearer "+goodKey)
					w := discard{http.Header{}}
					h.handler.ServeHTTP(w, request)
					if w.header["X-Weir-Target"] == nil {
						b.Fatalf("%s: refused: %v", turn.name, w.header)
					}
				}
			}
			var times [2][]time.Duration
			for b.Loop() {
				for i := range run {
					begun := time.Now()
					run[i]()
					times[i] = append(times[i], time.Since(begun))
				}
			}
			var median [2]float64
			for i := range times {
				slices.Sort(times[i])
				median[i] = float64(times[i][len(times[i])/2].Nanoseconds()) / 1000
				b.ReportMetric(median[i]/bench.per, bench.turns[i].name+"-µs")
			}
			b.ReportMetric((median[1]-median[0])/bench.per, "more-µs")
			b.ReportMetric(median[1]/median[0], "ratio")
		})
	}
}
