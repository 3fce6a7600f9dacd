package proxy_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// genai is Google's own client, as an application has it.
func (h *harness) genai(key string) *genai.Client {
	h.t.Helper()
	client, err := genai.NewClient(h.t.Context(), &genai.ClientConfig{APIKey: key, Backend: genai.BackendGeminiAPI, HTTPOptions: genai.HTTPOptions{BaseURL: h.agent.URL}})
	if err != nil {
		h.t.Fatal(err)
	}
	return client
}

// geminis are the providers by which Google's client is served.
var geminis = map[string][]*policyv1.Target{"gemini": toFlash, "vertex": toVertex, "openai": toGPT, "anthropic": toSonnet}

func asks(parts ...*genai.Part) []*genai.Content {
	return []*genai.Content{genai.NewContentFromParts(append(parts, genai.NewPartFromText("how much water passed")), genai.RoleUser)}
}

func TestGoogleSDKGetsAnswers(t *testing.T) {
	for provider, targets := range geminis {
		t.Run(provider, func(t *testing.T) {
			h := google(t, targets)
			models := h.genai(goodKey).Models
			config := &genai.GenerateContentConfig{MaxOutputTokens: 50, SystemInstruction: genai.NewContentFromText("Be brief.", genai.RoleUser)}
			picture := genai.NewPartFromBytes([]byte("\x89PNG\r\n\x1a\n"), "image/png")
			whole, err := models.GenerateContent(t.Context(), "routed", asks(picture), config)
			if err != nil {
				t.Fatal(err)
			}
			if whole.Text() == "" || whole.Candidates[0].FinishReason != genai.FinishReasonStop || whole.UsageMetadata.PromptTokenCount == 0 || whole.UsageMetadata.CandidatesTokenCount == 0 {
				t.Errorf("%+v", whole)
			}
			var streamed strings.Builder
			var last *genai.GenerateContentResponse
			for chunk, err := range models.GenerateContentStream(t.Context(), "routed", asks(picture), config) {
				if err != nil {
					t.Fatal(err)
				}
				streamed.WriteString(chunk.Text())
				last = chunk
			}
			if streamed.String() != whole.Text() || last.UsageMetadata.TotalTokenCount != whole.UsageMetadata.TotalTokenCount || last.Candidates[0].FinishReason != genai.FinishReasonStop {
				t.Errorf("streamed %q, %+v; whole %q", streamed.String(), last, whole.Text())
			}
		})
	}
}

// TestGoogleSDKCallsFunctions: signatures of Gemini's come back as they were given.
func TestGoogleSDKCallsFunctions(t *testing.T) {
	schema := map[string]any{"type": "object", "properties": map[string]any{"weir": map[string]any{"type": "string"}}, "required": []any{"weir"}}
	config := &genai.GenerateContentConfig{MaxOutputTokens: 50,
		Tools:      []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{Name: "level", Description: "of a weir", ParametersJsonSchema: schema}}}},
		ToolConfig: &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: genai.FunctionCallingConfigModeAny}}}
	for provider, targets := range geminis {
		t.Run(provider, func(t *testing.T) {
			h := google(t, targets)
			models := h.genai(goodKey).Models
			first, err := models.GenerateContent(t.Context(), "routed", asks(), config)
			if err != nil {
				t.Fatal(err)
			}
			calls := first.FunctionCalls()
			if len(calls) != 1 || calls[0].Name != "level" || calls[0].Args["weir"] == nil {
				t.Fatalf("%+v", first.Candidates[0].Content)
			}
			result := &genai.Part{FunctionResponse: &genai.FunctionResponse{ID: calls[0].ID, Name: "level", Response: map[string]any{"output": "two metres"}}}
			turns := append(asks(), first.Candidates[0].Content, genai.NewContentFromParts([]*genai.Part{result}, genai.RoleUser))
			second, err := models.GenerateContent(t.Context(), "routed", turns, &genai.GenerateContentConfig{MaxOutputTokens: 50})
			if err != nil || second.Text() == "" {
				t.Fatalf("%v, %+v", err, second)
			}
			sent := h.mock.Requests()
			if signature := "c2lnbmVkIGxldmVs"; slices.Contains([]string{"gemini", "vertex"}, provider) != strings.Contains(string(sent[len(sent)-1].Body), signature) {
				t.Errorf("sent back %s", sent[len(sent)-1].Body)
			}
		})
	}
}

func TestGoogleSDKGetsStructuredOutput(t *testing.T) {
	config := &genai.GenerateContentConfig{MaxOutputTokens: 50, ResponseMIMEType: "application/json", ResponseSchema: &genai.Schema{
		Type: genai.TypeObject, Properties: map[string]*genai.Schema{"level": {Type: genai.TypeString}}, Required: []string{"level"}}}
	for provider, targets := range geminis {
		t.Run(provider, func(t *testing.T) {
			h := google(t, targets)
			answer, err := h.genai(goodKey).Models.GenerateContent(t.Context(), "routed", asks(), config)
			if err != nil {
				t.Fatal(err)
			}
			var said struct{ Level *string }
			if err := json.Unmarshal([]byte(answer.Text()), &said); err != nil || said.Level == nil {
				t.Errorf("%v: %s", err, answer.Text())
			}
		})
	}
}

func TestGoogleSDKSeesThoughts(t *testing.T) {
	for _, provider := range []string{"gemini", "anthropic"} {
		t.Run(provider, func(t *testing.T) {
			h := google(t, geminis[provider])
			h.mock.Script(llmtest.Fault{ReasoningTokens: 5})
			budget := int32(1024)
			answer, err := h.genai(goodKey).Models.GenerateContent(t.Context(), "routed", asks(), &genai.GenerateContentConfig{MaxOutputTokens: 4000,
				ThinkingConfig: &genai.ThinkingConfig{IncludeThoughts: true, ThinkingBudget: &budget}})
			if err != nil {
				t.Fatal(err)
			}
			thought := slices.IndexFunc(answer.Candidates[0].Content.Parts, func(p *genai.Part) bool { return p.Thought && p.Text != "" })
			if thought < 0 || answer.Text() == "" {
				t.Errorf("%+v", answer.Candidates[0].Content)
			}
		})
	}
}

func TestGoogleSDKSeesErrors(t *testing.T) {
	h := google(t, toFlash)
	ask := func(key, route string) (refused genai.APIError) {
		t.Helper()
		_, err := h.genai(key).Models.GenerateContent(t.Context(), route, asks(), nil)
		if !errors.As(err, &refused) {
			t.Errorf("not Google's error: %v", err)
		}
		return refused
	}
	if got := ask("weir_other", "routed"); got.Code != 401 || got.Status != "UNAUTHENTICATED" || got.Details[0]["reason"] != "KEY_UNKNOWN" {
		t.Errorf("an unknown key: %+v", got)
	}
	if got := ask(goodKey, "none"); got.Code != 404 || got.Status != "NOT_FOUND" {
		t.Errorf("an unknown route: %+v", got)
	}
	h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 429})
	if got := ask(goodKey, "routed"); got.Code != 429 || got.Status != "RESOURCE_EXHAUSTED" {
		t.Errorf("a provider's: %+v", got)
	}
	h.mock.Script(llmtest.Fault{Kind: llmtest.Cut, After: 5})
	var last error
	for _, err := range h.genai(goodKey).Models.GenerateContentStream(t.Context(), "routed", asks(), nil) {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "broke off") {
		t.Errorf("a stream that broke: %v", last)
	}
}

func TestGoogleSDKCountsEmbedsAndLists(t *testing.T) {
	h := google(t, toFlash)
	models := h.genai(goodKey).Models
	counted, err := models.CountTokens(t.Context(), "routed", asks(), nil)
	if err != nil || counted.TotalTokens != 10 {
		t.Errorf("%+v, %v", counted, err)
	}
	embedded, err := models.EmbedContent(t.Context(), "routed", asks(), nil)
	if err != nil || len(embedded.Embeddings) != 1 || len(embedded.Embeddings[0].Values) == 0 {
		t.Errorf("%+v, %v", embedded, err)
	}
	var names []string
	for model, err := range models.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, model.Name)
	}
	if len(names) != len(routes) || !slices.Contains(names, "models/routed") {
		t.Errorf("listed %s", names)
	}
	one, err := models.Get(t.Context(), "routed", nil)
	if err != nil || one.Name != "models/routed" || !slices.Contains(one.SupportedActions, "generateContent") {
		t.Errorf("%+v, %v", one, err)
	}
}
