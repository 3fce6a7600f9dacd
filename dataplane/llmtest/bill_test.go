package llmtest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/weirhq/weir/dataplane/llmtest"
)

// Who is told of bills hears of each request once, by the request's own context, and the
// same as the ledger.
func TestBilled(t *testing.T) {
	type name struct{}
	var mu sync.Mutex
	bills := map[string][]llmtest.Bill{}
	mock := llmtest.New(llmtest.Options{APIKey: apiKey, Billed: func(ctx context.Context, bill llmtest.Bill) {
		mu.Lock()
		defer mu.Unlock()
		who, _ := ctx.Value(name{}).(string)
		bills[who] = append(bills[who], bill)
	}})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mock.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), name{}, r.Header.Get("Who"))))
	}))
	defer server.Close()
	for who, fault := range map[string]string{"whole": `{}`, "cut": `{"kind":"cut","after":3}`, "refused": `{"kind":"status","status":500}`} {
		request, err := http.NewRequest(http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(
			`{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"one two"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+apiKey)
		request.Header.Set("Who", who)
		request.Header.Set(llmtest.FaultHeader, fault)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body) // one is cut
		response.Body.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	var total llmtest.Tokens
	for who, completed := range map[string]bool{"whole": true, "cut": false, "refused": false} {
		if len(bills[who]) != 1 || bills[who][0].Completed != completed {
			t.Fatalf("%s: bills %+v", who, bills[who])
		}
		total.Input += bills[who][0].Tokens.Input
		total.Output += bills[who][0].Tokens.Output
	}
	if got := mock.Ledger().Total.Tokens; got != total || total.Output == 0 {
		t.Errorf("the ledger has %+v, the bills %+v", got, total)
	}
}
