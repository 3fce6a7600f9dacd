package proxy_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/protobuf/encoding/prototext"

	"github.com/weirhq/weir/dataplane/llmtest"
)

// markers are planted in what passes: each says where.
const (
	inPrompt  = "marker-in-the-prompt"
	inHeader  = "marker-in-a-header"
	inQuery   = "marker-in-the-query"
	inPath    = "marker-in-the-path"
	inModel   = "marker-in-the-model"
	inBaggage = "marker-in-the-baggage"
	inKey     = "weir_marker_in_an_unknown_key"
)

// planted are requests to all surfaces with markers in prompt, headers and query.
func planted() map[string]string {
	message := `"messages":[{"role":"user","content":"` + inPrompt + `"}]`
	contents := `{"contents":[{"role":"user","parts":[{"text":"` + inPrompt + `"}]}]}`
	return map[string]string{
		"/v1/chat/completions":                `{"model":"chat",` + message + `}`,
		"/v1/chat/completions?":               `{"model":"chat",` + message + `,"stream":true}`,
		"/v1/messages":                        `{"model":"chat","max_tokens":30,` + message + `}`,
		"/v1/messages?":                       `{"model":"chat","max_tokens":30,"stream":true,` + message + `}`,
		"/v1/responses":                       `{"model":"chat","input":"` + inPrompt + `"}`,
		"/v1/responses?":                      `{"model":"chat","input":"` + inPrompt + `","stream":true}`,
		"/v1/embeddings":                      `{"model":"chat","input":"` + inPrompt + `"}`,
		"/v1/completions":                     `{"model":"chat","prompt":"` + inPrompt + `"}`,
		"/v1/moderations":                     `{"model":"chat","input":"` + inPrompt + `"}`,
		"/v1/audio/speech":                    `{"model":"chat","voice":"alloy","input":"` + inPrompt + `"}`,
		"/v1/images/generations":              `{"model":"chat","prompt":"` + inPrompt + `"}`,
		"/v1/messages/count_tokens":           `{"model":"chat",` + message + `}`,
		"/v1beta/models/chat:generateContent": contents,
		"/v1beta/models/chat:streamGenerateContent?alt=sse": contents,
		"/v1beta/models/chat:countTokens":                   contents,
		"/v1beta/models/" + inModel + ":generateContent":    contents,
		"/v1/" + inPath: `{"model":"` + inModel + `"}`,
	}
}

// What callers and upstreams say, and what they prove themselves with, is in no log line,
// metric, span or record, whatever becomes of the request, on every surface.
func TestNothingThatPassesStays(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	h := newHarness(t, traced(spans))
	requests := 0
	for _, fault := range []llmtest.Fault{{}, {Kind: llmtest.Status, Status: 400}, {Kind: llmtest.Status, Status: 500}, {Kind: llmtest.ErrorBody},
		{Kind: llmtest.Cut, After: 1}, {Kind: llmtest.Malformed}, {Kind: llmtest.ErrorEvent, After: 1}, {Kind: llmtest.ContentType}} {
		for path, body := range planted() {
			for _, key := range []string{goodKey, inKey} {
				if fault.Kind != llmtest.None {
					h.mock.Script(fault)
				}
				joint := "?"
				if strings.Contains(path, "?") {
					joint = "&"
				}
				path := strings.TrimSuffix(path, "?")
				_, _, _ = h.sendTo(context.Background(), path+joint+"note="+inQuery, key, body, "X-Note", inHeader, "User-Agent", inHeader,
					"Anthropic-Beta", inHeader, "Baggage", "note="+inBaggage, "Openai-Organization", inHeader)
				<-h.done
				requests++
			}
		}
	}
	h.lookFor(spans, requests)
}

func (h *harness) lookFor(spans *tracetest.SpanRecorder, requests int) {
	h.t.Helper()
	kept := map[string]string{"log": h.log.String()}
	for name := range h.series() {
		kept["metrics"] += name + "\n"
	}
	for _, span := range spans.Ended() {
		kept["spans"] += fmt.Sprintf("%s %v %v %v %v %v\n", span.Name(), span.Attributes(), span.Events(), span.Status(), span.Links(), span.SpanContext())
	}
	h.recorder.mu.Lock()
	for _, r := range h.recorder.started {
		kept["records"] += prototext.Format(r)
	}
	for _, r := range h.recorder.ended {
		kept["records"] += prototext.Format(r)
	}
	for _, r := range h.recorder.refused {
		kept["records"] += prototext.Format(r)
	}
	h.recorder.mu.Unlock()
	answer := strings.Join(strings.Fields(llmtest.Answer(inPrompt, 0, 20))[:2], " ")
	for where, text := range kept {
		for _, secret := range []string{"marker", goodKey, upstreamKey, answer, "Sorry about that"} {
			if at := strings.Index(text, secret); at >= 0 {
				h.t.Errorf("%q is in the %s: %q", secret, where, text[max(0, at-100):min(len(text), at+len(secret)+50)])
			}
		}
		if len(text) < 1000 {
			h.t.Errorf("the %s are empty: nothing was looked at: %s", where, text)
		}
	}
	if n := strings.Count(kept["log"], `"msg":"request"`); n != requests {
		h.t.Errorf("%d lines for %d requests", n, requests)
	}
	if n := strings.Count(kept["spans"], "weir chat"); n == 0 {
		h.t.Error("no span")
	}
}
