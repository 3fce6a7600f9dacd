package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/llmtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// TestEstimateIsTheWorstCase: what is recorded where the upstream never told its
// usage is priced as if every token were of the dearest kind.
func TestEstimateIsTheWorstCase(t *testing.T) {
	text := strings.Replace(question, `"chat"`, `"dear"`, 1)
	voice := `{"model":"dear","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"x"}}]}]`
	const whole = 1000 // tokens, where the body's length says nothing
	for name, test := range map[string]struct {
		body          string
		input, output int64 // tokens; input 0: the body's bytes
		in, out       int64 // nano-dollars per token
	}{
		"text":           {text + `,"max_tokens":10}`, 0, 10, 2, 5},
		"choices":        {text + `,"n":3}`, 0, 300, 2, 5},
		"audio_in":       {voice + `,"max_tokens":10}`, whole, 10, 40, 5},
		"audio_out":      {text + `,"audio":{"voice":"alloy"},"max_tokens":10}`, 0, 10, 2, 80},
		"audio_both_way": {voice + `,"modalities":["text","audio"]}`, whole, 100, 40, 80},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.mock.Script(llmtest.Fault{Kind: llmtest.NoUsage})
			h.post(goodKey, test.body)
			input := test.input
			if input == 0 {
				input = int64(len(test.body))
			}
			wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_OK, 200, "", estimated,
				&usagev1.TokenUsage{Input: input, Output: test.output}, input*test.in + test.output*test.out})
		})
	}
}

// TestUsageSoFarIsNotTheTotal: a stream that never said the total is settled by its
// estimate, though the upstream told in each event what had been used until then.
func TestUsageSoFarIsNotTheTotal(t *testing.T) {
	body := question + `,"stream":true,"max_tokens":50}`
	usage, cost := worst(body, 50)
	const chunk = `data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":%s}],"usage":{"prompt_tokens":10,"completion_tokens":%d}}` + "\n\n"
	told := &usagev1.TokenUsage{Input: 10, Output: 3}
	for name, test := range map[string]struct {
		finish string
		after  string // empty: the connection breaks
		want   ending
	}{
		"in_the_middle": {`null`, "", ending{usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, 200, "upstream_broke", estimated, usage, cost}},
		"at_the_end":    {`"stop"`, "", ending{usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, 200, "upstream_broke", reported, told, 55_000}},
		"before_more_that_has_none": {`null`, `data: {"choices":[{"index":0,"delta":{"content":"more"},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n",
			ending{usagev1.Outcome_OUTCOME_OK, 200, "", estimated, usage, cost}},
		"before_an_error": {`null`, `data: {"error":{"message":"out of memory"}}` + "\n\n",
			ending{usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 200, "upstream_error", estimated, usage, cost}},
	} {
		t.Run(name, func(t *testing.T) {
			upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				fmt.Fprintf(w, chunk+chunk+test.after, "null", 2, test.finish, 3)
				_ = http.NewResponseController(w).Flush()
				if test.after == "" {
					panic(http.ErrAbortHandler)
				}
			}))
			defer upstream.Close()
			h := newHarness(t)
			h.holder.Store(h.policy(upstream.URL))
			h.post(goodKey, body)
			wantEnding(t, h, test.want)
		})
	}
}

// TestUsageSoFarOfSeveralChoices: the end of one is not the end of all.
func TestUsageSoFarOfSeveralChoices(t *testing.T) {
	body := question + `,"stream":true,"max_tokens":50,"n":2}`
	usage, cost := worst(body, 2*50)
	h := against(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3}}`+"\n\n")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	h.post(goodKey, body)
	wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, 200, "upstream_broke", estimated, usage, cost})
}
