package snapshot_test

import (
	"testing"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func TestEndpointsOfEveryDialect(t *testing.T) {
	const google = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google"
	for name, test := range map[string]struct {
		dialect       policyv1.Dialect
		base, version string
		model         string
		want          map[snapshot.Endpoint]string
		models        string
		none          []snapshot.Endpoint
	}{
		"openai": {policyv1.Dialect_DIALECT_OPENAI, "https://api.openai.com/v1", "", "gpt-5", map[snapshot.Endpoint]string{
			snapshot.OpenAIChat: "/v1/chat/completions", snapshot.OpenAIResponses: "/v1/responses", snapshot.OpenAISpeech: "/v1/audio/speech"},
			"/v1/models", []snapshot.Endpoint{snapshot.AnthropicMessages, snapshot.GeminiGenerate}},
		"compatible": {policyv1.Dialect_DIALECT_OPENAI_COMPATIBLE, "https://api.groq.com/openai/v1", "", "llama", map[snapshot.Endpoint]string{
			snapshot.OpenAIChat: "/openai/v1/chat/completions"}, "/openai/v1/models", []snapshot.Endpoint{snapshot.OpenAIResponses}},
		"azure": {policyv1.Dialect_DIALECT_AZURE_OPENAI, "https://r.openai.azure.com", "", "d", map[snapshot.Endpoint]string{
			snapshot.OpenAIChat: "/openai/v1/chat/completions", snapshot.OpenAIResponses: "/openai/v1/responses"}, "/openai/v1/models", []snapshot.Endpoint{snapshot.OpenAIModerations}},
		"azure_deployments": {policyv1.Dialect_DIALECT_AZURE_OPENAI, "https://r.openai.azure.com/", "2024-10-21", "my d/1", map[snapshot.Endpoint]string{
			snapshot.OpenAIChat:      "/openai/deployments/my%20d%2F1/chat/completions?api-version=2024-10-21",
			snapshot.OpenAIResponses: "/openai/responses?api-version=2024-10-21"}, "/openai/models?api-version=2024-10-21", nil},
		"gemini": {policyv1.Dialect_DIALECT_GEMINI, "https://generativelanguage.googleapis.com/v1beta", "", "gemini-3-pro", map[snapshot.Endpoint]string{
			snapshot.GeminiGenerate: "/v1beta/models/gemini-3-pro:generateContent?alt=json", snapshot.GeminiStream: "/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse"},
			"/v1beta/models?pageSize=1000", []snapshot.Endpoint{snapshot.OpenAIChat}},
		"vertex": {policyv1.Dialect_DIALECT_VERTEX, google, "", "gemini-3-pro", map[snapshot.Endpoint]string{
			snapshot.GeminiGenerate: "/v1/projects/p/locations/us-central1/publishers/google/models/gemini-3-pro:generateContent?alt=json"}, "", []snapshot.Endpoint{snapshot.GeminiEmbed}},
		"bedrock": {policyv1.Dialect_DIALECT_BEDROCK, "https://bedrock-runtime.eu-west-1.amazonaws.com", "", "arn:aws:bedrock:eu-west-1:1:inference-profile/a", map[snapshot.Endpoint]string{
			snapshot.BedrockConverse: "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fa/converse",
			snapshot.BedrockStream:   "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fa/converse-stream"}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			asked := resource(t, "provider", "p1", &policyv1.Provider{Id: "p1", Name: "p", Dialect: test.dialect, BaseUrl: test.base, ApiVersion: test.version})
			route := resource(t, "route", "x1", &policyv1.Route{Id: "x1", Name: "asked", Strategy: policyv1.Strategy_STRATEGY_SINGLE,
				Targets: []*policyv1.Target{{ProviderId: "p1", Model: test.model}}})
			p, err := compile(append(append(good(t)[:5:5], asked, route), good(t)[6:]...), nil)
			if err != nil {
				t.Fatal(err)
			}
			target := p.Route("asked").Targets[0]
			for endpoint, want := range test.want {
				if got := target.URL(endpoint); got == nil || got.RequestURI() != want {
					t.Errorf("endpoint %d is at %v, want %s", endpoint, got, want)
				}
			}
			for _, endpoint := range test.none {
				if got := target.URL(endpoint); got != nil {
					t.Errorf("endpoint %d is at %s", endpoint, got)
				}
			}
			models := p.Provider("p1").Models
			if models == nil && test.models != "" || models != nil && models.RequestURI() != test.models {
				t.Errorf("models are at %v, want %q", models, test.models)
			}
		})
	}
}

// TestModelsThatArePaths do not lead elsewhere.
func TestModelsThatArePaths(t *testing.T) {
	route := resource(t, "route", "x1", &policyv1.Route{Id: "x1", Name: "asked", Strategy: policyv1.Strategy_STRATEGY_SINGLE,
		Targets: []*policyv1.Target{{ProviderId: "p1", Model: ".."}}})
	if _, err := compile(append(good(t), route), nil); err == nil {
		t.Error("a model .. was accepted")
	}
}
