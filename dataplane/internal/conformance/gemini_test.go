package conformance_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genai"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

var geminiSpeaker = speaker{
	name: "go-genai", script: "gemini", ask: askGemini, dialect: policyv1.Dialect_DIALECT_GEMINI, sequence: "stop_sequence",
	display: "generationConfig.thinkingConfig.includeThoughts", opaque: true,
	stops: map[stop]string{ended: "STOP", toCall: "STOP", cutShort: "MAX_TOKENS", onSequence: "STOP"},
	types: map[int]string{400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 502: "UNAVAILABLE", 529: "UNAVAILABLE"},
	own:   map[int]string{529: "INTERNAL"},
}

// headers notes what the SDK does not tell.
type headers struct{ last http.Header }

func (h *headers) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err == nil {
		h.last = response.Header
	}
	return response, err
}

func askGemini(t *testing.T, talk talk) (a answer) {
	seen := &headers{last: http.Header{}}
	attempts := int32(talk.Retries + 1)
	client, err := genai.NewClient(t.Context(), &genai.ClientConfig{APIKey: talk.Key, Backend: genai.BackendGeminiAPI, HTTPClient: &http.Client{Transport: seen},
		HTTPOptions: genai.HTTPOptions{BaseURL: talk.Base, RetryOptions: &genai.HTTPRetryOptions{Attempts: &attempts}}})
	if err != nil {
		t.Fatal(err)
	}
	contents, config := geminiParams(t, talk)
	again := &genai.Content{Role: genai.RoleModel} // its parts as they came
	if talk.Stream {
		for chunk, failed := range client.Models.GenerateContentStream(t.Context(), talk.Route, contents, config) {
			if err = failed; err != nil {
				break
			}
			a.gemini(chunk, again)
		}
	} else {
		var whole *genai.GenerateContentResponse
		if whole, err = client.Models.GenerateContent(t.Context(), talk.Route, contents, config); err == nil {
			a.gemini(whole, again)
		}
	}
	a.Again, _ = json.Marshal(again)
	a.Lossy = seen.last.Get("X-Weir-Lossy")
	a.Failure = geminiFailure(err, seen.last)
	return a
}

func (a *answer) gemini(response *genai.GenerateContentResponse, again *genai.Content) {
	if usage := response.UsageMetadata; usage != nil {
		a.Input, a.Cached = int64(usage.PromptTokenCount), int64(usage.CachedContentTokenCount)
		a.Output = int64(usage.CandidatesTokenCount + usage.ThoughtsTokenCount)
	}
	for _, candidate := range response.Candidates {
		a.Stop = string(candidate.FinishReason)
		if candidate.Content == nil {
			continue
		}
		for _, part := range candidate.Content.Parts {
			a.geminiPart(part)
			again.Parts = append(again.Parts, part)
		}
	}
}

func (a *answer) geminiPart(part *genai.Part) {
	switch {
	case part.FunctionCall != nil:
		arguments, _ := json.Marshal(part.FunctionCall.Args)
		a.Calls = append(a.Calls, call{part.FunctionCall.ID, part.FunctionCall.Name, string(arguments)})
	case part.Thought:
		a.Thinking += part.Text
		a.Signature += string(part.ThoughtSignature)
	default:
		a.Text += part.Text
	}
}

func geminiFailure(err error, header http.Header) *failure {
	var refused genai.APIError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &refused):
		return &failure{Message: err.Error()}
	}
	f := &failure{Status: refused.Code, Type: refused.Status, Message: refused.Message, RetryAfter: header.Get("Retry-After")}
	for _, detail := range refused.Details {
		if delay, ok := detail["retryDelay"].(string); ok && f.RetryAfter == "" {
			f.RetryAfter = strings.TrimSuffix(delay, "s")
		}
	}
	return f
}

func geminiParams(t *testing.T, talk talk) ([]*genai.Content, *genai.GenerateContentConfig) {
	config := &genai.GenerateContentConfig{MaxOutputTokens: int32(talk.Max), StopSequences: talk.Stop}
	if talk.System != "" {
		config.SystemInstruction = genai.NewContentFromText(talk.System, genai.RoleUser)
	}
	var declared []*genai.FunctionDeclaration
	for _, tool := range talk.Tools {
		declared = append(declared, &genai.FunctionDeclaration{Name: tool.Name, Description: tool.Description, ParametersJsonSchema: tool.Schema})
	}
	if declared != nil {
		config.Tools = []*genai.Tool{{FunctionDeclarations: declared}}
	}
	if len(talk.Schema) > 0 {
		config.ResponseMIMEType, config.ResponseJsonSchema = "application/json", talk.Schema
	}
	if talk.Think {
		config.ThinkingConfig = &genai.ThinkingConfig{IncludeThoughts: true, ThinkingLevel: genai.ThinkingLevelLow}
	}
	contents := []*genai.Content{}
	for _, turn := range talk.Turns {
		contents = append(contents, geminiTurn(t, turn))
	}
	return contents, config
}

func geminiTurn(t *testing.T, turn turn) *genai.Content {
	content := &genai.Content{Role: genai.RoleUser}
	if turn.Answer != nil {
		if err := json.Unmarshal(turn.Answer, content); err != nil {
			t.Fatal(err)
		}
		return content
	}
	for _, result := range turn.Results {
		content.Parts = append(content.Parts, &genai.Part{FunctionResponse: &genai.FunctionResponse{ID: result.ID, Name: result.Name, Response: map[string]any{"output": result.Text}}})
	}
	if turn.Image != nil {
		content.Parts = append(content.Parts, genai.NewPartFromBytes(turn.Image, "image/png"))
	}
	if turn.PDF != nil {
		content.Parts = append(content.Parts, genai.NewPartFromBytes(turn.PDF, "application/pdf"))
	}
	if turn.Text != "" {
		content.Parts = append(content.Parts, genai.NewPartFromText(turn.Text))
	}
	return content
}
