package openai_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/llmtest"
)

// ask sends a body to the mock provider, and returns its answer.
func ask(t *testing.T, options llmtest.Options, body []byte) []byte {
	t.Helper()
	options.APIKey = "k"
	mock := llmtest.New(options)
	server := httptest.NewServer(mock)
	t.Cleanup(server.Close)
	t.Cleanup(mock.Close)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer k")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.Status, string(answer), err)
	}
	return answer
}

// TestTheMockIsUnderstood: the mock provider takes what is written, and tells the same
// whole and streamed.
func TestTheMockIsUnderstood(t *testing.T) {
	options := llmtest.Options{AnswerTokens: 7, ReasoningTokens: 3, CachedTokens: 2}
	request := &chat.Request{Model: "gpt-4o", N: 2, Messages: []chat.Message{{Parts: []chat.Part{textPart("how high?")}}}}
	read := func(stream bool) *chat.Answer {
		request.Stream = stream
		provider := openai.NewProvider()
		body, _, err := provider.Request(request)
		if err != nil {
			t.Fatal(err)
		}
		got := ask(t, options, body)
		if stream {
			return fold(t, followed(t, provider, got))
		}
		answer, err := provider.Answer(got)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	whole, streamed := read(false), read(true)
	if diff := cmp.Diff(whole.Choices, streamed.Choices); diff != "" {
		t.Error(diff)
	}
	text := llmtest.Answer("how high?", 1, 7)
	if diff := cmp.Diff([]chat.Part{textPart(text)}, whole.Choices[1].Parts); diff != "" {
		t.Error(diff)
	}
	for _, usage := range []chat.Usage{whole.Usage, streamed.Usage} {
		if tokens := usage.Tokens; tokens.GetOutput() != 14 || tokens.GetReasoning() != 6 || tokens.GetCacheRead() != 2 || usage.ServiceTier != "default" {
			t.Errorf("%+v", usage)
		}
	}
}
