package snapshot

import (
	"maps"
	"net/url"
	"strings"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Endpoint is one thing that upstreams of a dialect can be asked for.
type Endpoint int

const (
	OpenAIChat Endpoint = iota
	OpenAIResponses
	OpenAIEmbeddings
	OpenAICompletions
	OpenAIImages
	OpenAIImageEdits
	OpenAIImageVariations
	OpenAISpeech
	OpenAITranscriptions
	OpenAITranslations
	OpenAIModerations
	AnthropicMessages
	AnthropicCountTokens
	GeminiGenerate
	GeminiStream
	GeminiEmbed
	GeminiEmbedBatch
	GeminiCountTokens
	BedrockConverse
	BedrockStream

	endpoints
)

// place is where an endpoint is, below a base URL.
type place struct {
	path, query string
}

// modelHole is where a path names the model.
const modelHole = "{model}"

var (
	// openAIPlaces are of OpenAI's own API.
	// Source: https://platform.openai.com/docs/api-reference
	openAIPlaces = map[Endpoint]place{
		OpenAIChat:            {path: "chat/completions"},
		OpenAIResponses:       {path: "responses"},
		OpenAIEmbeddings:      {path: "embeddings"},
		OpenAICompletions:     {path: "completions"},
		OpenAIImages:          {path: "images/generations"},
		OpenAIImageEdits:      {path: "images/edits"},
		OpenAIImageVariations: {path: "images/variations"},
		OpenAISpeech:          {path: "audio/speech"},
		OpenAITranscriptions:  {path: "audio/transcriptions"},
		OpenAITranslations:    {path: "audio/translations"},
		OpenAIModerations:     {path: "moderations"},
	}
	// Servers of others seldom have responses: those are asked for as chats.
	compatiblePlaces = without(openAIPlaces, OpenAIResponses)
	// Azure has no moderations.
	azurePlaces = below("openai/v1/", without(openAIPlaces, OpenAIModerations))
	// deploymentPlaces are of Azure's older API, which has responses beside deployments.
	// Source: https://learn.microsoft.com/azure/ai-foundry/openai/reference
	deploymentPlaces = with(OpenAIResponses, place{path: "openai/responses"},
		below("openai/deployments/"+modelHole+"/", without(openAIPlaces, OpenAIModerations)))
	// anthropicPlaces are below base URLs without the version, as Anthropic's SDKs take them.
	anthropicPlaces = map[Endpoint]place{
		AnthropicMessages:    {path: "v1/messages"},
		AnthropicCountTokens: {path: "v1/messages/count_tokens"},
	}
	// The query says in which form the answer comes, whatever a caller's says.
	// Source: https://ai.google.dev/api, https://cloud.google.com/apis/docs/system-parameters
	geminiPlaces = map[Endpoint]place{
		GeminiGenerate:    {path: "models/" + modelHole + ":generateContent", query: "alt=json"},
		GeminiStream:      {path: "models/" + modelHole + ":streamGenerateContent", query: "alt=sse"},
		GeminiEmbed:       {path: "models/" + modelHole + ":embedContent", query: "alt=json"},
		GeminiEmbedBatch:  {path: "models/" + modelHole + ":batchEmbedContents", query: "alt=json"},
		GeminiCountTokens: {path: "models/" + modelHole + ":countTokens", query: "alt=json"},
	}
	// Vertex AI embeds by another method and form.
	vertexPlaces = without(geminiPlaces, GeminiEmbed, GeminiEmbedBatch)
	// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
	bedrockPlaces = map[Endpoint]place{
		BedrockConverse: {path: "model/" + modelHole + "/converse"},
		BedrockStream:   {path: "model/" + modelHole + "/converse-stream"},
	}
)

// placesOf is nil for a dialect that is not known.
func placesOf(p *policyv1.Provider) map[Endpoint]place {
	switch p.GetDialect() {
	case policyv1.Dialect_DIALECT_OPENAI:
		return openAIPlaces
	case policyv1.Dialect_DIALECT_OPENAI_COMPATIBLE:
		return compatiblePlaces
	case policyv1.Dialect_DIALECT_ANTHROPIC:
		return anthropicPlaces
	case policyv1.Dialect_DIALECT_GEMINI:
		return geminiPlaces
	case policyv1.Dialect_DIALECT_VERTEX:
		return vertexPlaces
	case policyv1.Dialect_DIALECT_BEDROCK:
		return bedrockPlaces
	case policyv1.Dialect_DIALECT_AZURE_OPENAI:
		if p.GetApiVersion() == "" {
			return azurePlaces
		}
		return deploymentPlaces
	}
	return nil
}

// modelsOf is where a dialect lists its models; empty: nowhere below its base URL.
// Anthropic's come in pages of at most 1000.
// Source: https://platform.claude.com/docs/en/api/models-list
func modelsOf(p *policyv1.Provider) place {
	switch p.GetDialect() {
	case policyv1.Dialect_DIALECT_OPENAI, policyv1.Dialect_DIALECT_OPENAI_COMPATIBLE:
		return place{path: "models"}
	case policyv1.Dialect_DIALECT_ANTHROPIC:
		return place{path: "v1/models", query: "limit=1000"}
	case policyv1.Dialect_DIALECT_GEMINI:
		return place{path: "models", query: "pageSize=1000"}
	case policyv1.Dialect_DIALECT_AZURE_OPENAI:
		if p.GetApiVersion() == "" {
			return place{path: "openai/v1/models"}
		}
		return place{path: "openai/models", query: "api-version=" + url.QueryEscape(p.GetApiVersion())}
	}
	return place{}
}

func without(places map[Endpoint]place, left ...Endpoint) map[Endpoint]place {
	some := maps.Clone(places)
	for _, endpoint := range left {
		delete(some, endpoint)
	}
	return some
}

func with(endpoint Endpoint, p place, places map[Endpoint]place) map[Endpoint]place {
	places[endpoint] = p
	return places
}

func below(prefix string, places map[Endpoint]place) map[Endpoint]place {
	lower := map[Endpoint]place{}
	for endpoint, p := range places {
		lower[endpoint] = place{path: prefix + p.path, query: p.query}
	}
	return lower
}

// URLs say where each endpoint is; nil: the upstream has none of it.
type URLs [endpoints]*url.URL

// reach is where a provider is asked, for a model where its paths name one. Targets of the
// same provider share it where they do not.
func reach(base *url.URL, p *policyv1.Provider, model string) *URLs {
	var urls URLs
	for endpoint, place := range placesOf(p) {
		if p.GetApiVersion() != "" {
			place.query = "api-version=" + url.QueryEscape(p.GetApiVersion())
		}
		urls[endpoint] = place.at(base, model)
	}
	return &urls
}

// at joins the place to a base that may have no path.
func (p place) at(base *url.URL, model string) *url.URL {
	u := *base
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if u.Path == "" {
		u.Path = "/" // JoinPath would leave it out, and ask for "chat/completions"
	}
	at := u.JoinPath(strings.ReplaceAll(p.path, modelHole, escape(model)))
	at.RawQuery = p.query
	return at
}

// escape leaves only what RFC 3986 calls unreserved: a model may be an ARN, and AWS signs
// its colons escaped.
func escape(model string) string {
	return strings.ReplaceAll(url.PathEscape(model), ":", "%3A")
}

// namesModel tells whether the provider's paths name the model.
func namesModel(p *policyv1.Provider) bool {
	for _, place := range placesOf(p) {
		if strings.Contains(place.path, modelHole) {
			return true
		}
	}
	return false
}
