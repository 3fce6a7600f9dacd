package proxy_test

import (
	"io"
	"net/http"
	"testing"
)

// TestContentBehindTheUsageIsNotTheWhole: what was said of the answer before it went on is
// less than all of it.
func TestContentBehindTheUsageIsNotTheWhole(t *testing.T) {
	h := newHarness(t)
	h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}`+"\n\n"+
			`data: {"choices":[{"index":0,"delta":{"content":"a"}}]}`+"\n\n")
	})
	h.post(goodKey, question+`,"stream":true,"max_tokens":50}`)
	if _, ended := h.record(); ended.Attempts[0].UsageSource != estimated {
		t.Errorf("recorded %v", ended)
	}
}
