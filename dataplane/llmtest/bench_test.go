package llmtest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/llmtest"
)

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) Flush()                      {}

func BenchmarkChat(b *testing.B) {
	for name, extra := range map[string]string{"unstreamed": "", "streamed": `,"stream":true`} {
		b.Run(name, func(b *testing.B) {
			mock := llmtest.New(llmtest.Options{APIKey: apiKey})
			body := `{"model":"m","messages":[{"role":"user","content":"how much water passed"}]` + extra + `}`
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
				request.Header.Set("Authorization", "Bearer "+apiKey)
				mock.ServeHTTP(discard{http.Header{}}, request)
			}
		})
	}
}
