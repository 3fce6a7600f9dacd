package gemini_test

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
)

// TestPassingAllocatesNoMoreForMore: what passes through costs the same memory however
// large it is.
func TestPassingAllocatesNoMoreForMore(t *testing.T) {
	for name, pass := range map[string]func(text string) func(){
		"request": func(text string) func() {
			body := []byte(`{"model":"models/r","contents":[{"parts":[{"text":"` + text + `"}]}],"generationConfig":{"maxOutputTokens":5}}`)
			var parts [8][]byte
			return func() {
				request, refusal := gemini.ParseRequest(body)
				if refusal != nil {
					t.Fatal(refusal)
				}
				request.Splice(parts[:0], body, []byte(`"up"`))
			}
		},
		"answer": func(text string) func() {
			body := []byte(`{"candidates":[{"content":{"parts":[{"text":"` + text + `"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5}}`)
			return func() { gemini.ParseAnswer(body) }
		},
		"event": func(text string) func() {
			data := []byte(`{"candidates":[{"content":{"parts":[{"text":"` + text + `"}]},"finishReason":"STOP"}]}`)
			return func() {
				if gemini.Finishes(data) != 1 || gemini.Opens(data) || gemini.Speaks(data) {
					t.Fatal("not seen")
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			small := testing.AllocsPerRun(20, pass("a"))
			large := testing.AllocsPerRun(20, pass(strings.Repeat("a ", 1<<18)))
			if large > small || small > 20 {
				t.Errorf("%v allocations for a small one, %v for a large one", small, large)
			}
		})
	}
}
