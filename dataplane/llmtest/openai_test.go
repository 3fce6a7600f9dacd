package llmtest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/weirhq/weir/dataplane/llmtest"
)

const apiKey = "sk-upstream-0123456789"

func start(t *testing.T, options llmtest.Options) (*llmtest.Server, *httptest.Server) {
	t.Helper()
	if options.APIKey == "" {
		options.APIKey = apiKey
	}
	mock := llmtest.New(options)
	server := httptest.NewServer(mock)
	t.Cleanup(server.Close)
	t.Cleanup(mock.Close)
	return mock, server
}

func client(server *httptest.Server, key string) openai.Client {
	return openai.NewClient(option.WithBaseURL(server.URL+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0))
}

func question(text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    "gpt-4o-mini",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("be brief"), openai.UserMessage(text)},
	}
}

func post(t *testing.T, server *httptest.Server, body string, header http.Header) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+apiKey)
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func events(t *testing.T, body io.Reader) ([]string, error) {
	t.Helper()
	scanner := bufio.NewScanner(body)
	scanner.Buffer(nil, 32<<20)
	var data []string
	for scanner.Scan() {
		if text, ok := strings.CutPrefix(scanner.Text(), "data: "); ok {
			data = append(data, text)
		}
	}
	return data, scanner.Err()
}

func TestOfficialClient(t *testing.T) {
	t.Run("unstreamed", func(t *testing.T) {
		mock, server := start(t, llmtest.Options{CachedTokens: 4, ReasoningTokens: 5})
		completion, err := ptr(client(server, apiKey)).Chat.Completions.New(t.Context(), question("how much water passed today"))
		if err != nil {
			t.Fatal(err)
		}
		if want := llmtest.Answer("how much water passed today", 0, 20); completion.Choices[0].Message.Content != want {
			t.Errorf("content %q, want %q", completion.Choices[0].Message.Content, want)
		}
		usage := completion.Usage
		got := []int64{usage.PromptTokens, usage.CompletionTokens, usage.TotalTokens, usage.PromptTokensDetails.CachedTokens, usage.CompletionTokensDetails.ReasoningTokens}
		if diff := cmp.Diff([]int64{16, 25, 41, 4, 5}, got); diff != "" {
			t.Error(diff)
		}
		wantTokens := llmtest.Tokens{Input: 12, CachedInput: 4, Output: 20, Reasoning: 5}
		want := llmtest.Served{Requests: 1, Completed: 1, Tokens: wantTokens}
		if diff := cmp.Diff(llmtest.Ledger{Total: want, Models: map[string]llmtest.Served{"gpt-4o-mini": want}}, mock.Ledger()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("streamed", func(t *testing.T) {
		mock, server := start(t, llmtest.Options{AnswerTokens: 3})
		params := question("hello")
		params.N = openai.Int(2)
		params.StreamOptions.IncludeUsage = openai.Bool(true)
		stream := ptr(client(server, apiKey)).Chat.Completions.NewStreaming(t.Context(), params)
		var all openai.ChatCompletionAccumulator
		for stream.Next() {
			all.AddChunk(stream.Current())
		}
		if stream.Err() != nil {
			t.Fatal(stream.Err())
		}
		for i, choice := range all.Choices {
			if want := llmtest.Answer("hello", i, 3); choice.Message.Content != want || choice.FinishReason != "stop" {
				t.Errorf("choice %d: %q, %q; want %q", i, choice.Message.Content, choice.FinishReason, want)
			}
		}
		if len(all.Choices) != 2 || all.Usage.CompletionTokens != 6 || all.Usage.PromptTokens != 12 {
			t.Errorf("%d choices, usage %+v", len(all.Choices), all.Usage)
		}
		if got := mock.Ledger().Total.Tokens.Output; got != 6 {
			t.Errorf("the ledger counts %d output tokens", got)
		}
	})
	t.Run("wrong_key", func(t *testing.T) {
		mock, server := start(t, llmtest.Options{})
		_, err := ptr(client(server, "sk-wrong-0123456789")).Chat.Completions.New(t.Context(), question("hello"))
		var refused *openai.Error
		if !errors.As(err, &refused) || refused.StatusCode != 401 || refused.Code != "invalid_api_key" {
			t.Fatalf("got %v", err)
		}
		if got := mock.Ledger(); got.Refused != 1 || got.Total.Requests != 0 {
			t.Errorf("ledger %+v", got)
		}
	})
	t.Run("models", func(t *testing.T) {
		_, server := start(t, llmtest.Options{Models: []string{"m1", "m2"}})
		page, err := ptr(client(server, apiKey)).Models.List(t.Context())
		if err != nil || len(page.Data) != 2 || page.Data[1].ID != "m2" {
			t.Fatalf("got %+v, %v", page, err)
		}
		_, err = ptr(client(server, apiKey)).Chat.Completions.New(t.Context(), question("hello"))
		var refused *openai.Error
		if !errors.As(err, &refused) || refused.StatusCode != 404 || refused.Code != "model_not_found" {
			t.Fatalf("got %v", err)
		}
	})
}

func ptr[T any](v T) *T { return &v }

func TestOutputCap(t *testing.T) {
	for name, test := range map[string]struct {
		body              string
		output, reasoning int64
		finish            string
	}{
		"none":                  {`{}`, 25, 5, "stop"},
		"max_tokens":            {`{"max_tokens":10}`, 10, 5, "length"},
		"max_completion_tokens": {`{"max_completion_tokens":3,"max_tokens":10}`, 3, 3, "length"},
		"exactly_enough":        {`{"max_completion_tokens":25}`, 25, 5, "stop"},
		"each_choice":           {`{"max_tokens":10,"n":3}`, 30, 15, "length"},
		"unknown_fields":        {`{"tools":[{"type":"function"}],"x_new":{"a":[1]},"temperature":null,"max_tokens":null}`, 25, 5, "stop"},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(name+map[bool]string{true: "_streamed", false: ""}[stream], func(t *testing.T) {
				_, server := start(t, llmtest.Options{ReasoningTokens: 5})
				response := post(t, server, chatBody(t, test.body, stream), nil)
				got := readAnswer(t, response.Body, stream)
				if got.Usage.Completion != test.output || got.Usage.Details.Reasoning != test.reasoning || got.finish() != test.finish {
					t.Errorf("got %+v", got)
				}
			})
		}
	}
}

func chatBody(t *testing.T, extra string, stream bool) string {
	t.Helper()
	body := map[string]any{}
	if err := json.Unmarshal([]byte(extra), &body); err != nil {
		t.Fatal(err)
	}
	body["model"] = "m"
	body["messages"] = []any{map[string]any{"role": "user", "content": []any{map[string]any{"type": "text", "text": "hello there"}}}}
	if stream {
		body["stream"] = true
		body["stream_options"] = map[string]any{"include_usage": true}
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

type answer struct {
	Choices []struct {
		FinishReason *string `json:"finish_reason"`
	}
	Usage struct {
		Prompt     int64 `json:"prompt_tokens"`
		Completion int64 `json:"completion_tokens"`
		Details    struct {
			Reasoning int64 `json:"reasoning_tokens"`
		} `json:"completion_tokens_details"`
	}
}

func (a answer) finish() string {
	for _, choice := range a.Choices {
		if choice.FinishReason != nil {
			return *choice.FinishReason
		}
	}
	return ""
}

// readAnswer merges the events of a stream into the form of an unstreamed answer.
func readAnswer(t *testing.T, body io.Reader, stream bool) answer {
	t.Helper()
	var merged answer
	if !stream {
		if err := json.NewDecoder(body).Decode(&merged); err != nil {
			t.Fatal(err)
		}
		return merged
	}
	data, err := events(t, body)
	if err != nil || len(data) == 0 || data[len(data)-1] != "[DONE]" {
		t.Fatalf("stream ends %v: %v", data, err)
	}
	for _, text := range data[:len(data)-1] {
		var event answer
		if err := json.Unmarshal([]byte(text), &event); err != nil {
			t.Fatalf("event %s: %v", text, err)
		}
		merged.Choices = append(merged.Choices, event.Choices...)
		merged.Usage = event.Usage
	}
	return merged
}

func TestBadRequests(t *testing.T) {
	_, server := start(t, llmtest.Options{})
	for name, body := range map[string]string{
		"no_json": "{", "no_object": "[]", "no_model": `{"messages":[{"role":"user","content":"x"}]}`,
		"no_messages": `{"model":"m"}`, "empty_messages": `{"model":"m","messages":[]}`,
		"zero_cap":  `{"model":"m","max_tokens":0,"messages":[{"role":"user","content":"x"}]}`,
		"text_as_n": `{"model":"m","n":"2","messages":[{"role":"user","content":"x"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			response := post(t, server, body, nil)
			var refused struct {
				Error struct{ Message, Type string }
			}
			if err := json.NewDecoder(response.Body).Decode(&refused); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != 400 || refused.Error.Type != "invalid_request_error" || refused.Error.Message == "" {
				t.Errorf("status %d, %+v", response.StatusCode, refused)
			}
		})
	}
}

func TestRequestsAreKeptBounded(t *testing.T) {
	mock, server := start(t, llmtest.Options{KeepRequests: 2})
	for _, text := range []string{"one", "two", "three"} {
		post(t, server, `{"model":"m","messages":[{"role":"user","content":"`+text+`"}]}`, http.Header{"X-Test": {text}})
	}
	kept := mock.Requests()
	if len(kept) != 2 || kept[0].Header.Get("X-Test") != "two" || !bytes.Contains(kept[1].Body, []byte("three")) {
		t.Errorf("kept %+v", kept)
	}
}

func TestEachEventIsFlushed(t *testing.T) {
	mock, server := start(t, llmtest.Options{})
	mock.Script(llmtest.Fault{Kind: llmtest.Stall, After: 2})
	began := time.Now()
	unblock := time.AfterFunc(5*time.Second, mock.Close)
	response := post(t, server, chatBody(t, `{}`, true), nil)
	reader := bufio.NewReader(response.Body)
	for range 4 {
		if _, err := reader.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if !unblock.Stop() {
		t.Errorf("two events took %s", time.Since(began))
	}
	mock.Close()
	if line, err := reader.ReadString('\n'); err == nil {
		t.Errorf("after the server closed: %q", line)
	}
}
