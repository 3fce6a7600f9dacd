package proxy

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// probe is a call by which a provider is tested. It costs nothing.
type probe struct {
	provider *snapshot.Provider
	// model that is looked for; asked: by who asked for the test.
	model string
	asked bool
	// count is where its tokens are counted: Vertex AI has no list of models below its
	// base URL. nil: models are listed.
	count *url.URL
}

var errNoCount = errors.New("no number of tokens")

// countedProbe is the shortest prompt.
var countedProbe = []byte(`{"contents":[{"role":"user","parts":[{"text":"a"}]}]}`)

// probeOf finds the call; a refusal says what there is no way to test.
func probeOf(policy *snapshot.Policy, provider *snapshot.Provider, model string) (*probe, *dialect.Refusal) {
	p := &probe{provider: provider, model: model, asked: model != ""}
	switch {
	case provider.Models != nil:
		return p, nil
	case provider.Dialect == policyv1.Dialect_DIALECT_VERTEX:
		if p.model = cmp.Or(model, modelOf(policy, provider)); p.model == "" {
			return nil, &dialect.Refusal{Code: "model_missing",
				Message: "This provider has no list of models and no route to it names one: say which model to test it with."}
		}
		p.count = provider.URL(snapshot.GeminiCountTokens, p.model)
		return p, nil
	}
	return nil, &dialect.Refusal{Code: "test_unsupported", Message: "This agent knows no call by which a provider of this dialect is tested for free."}
}

// modelOf is one that a route asks the provider for.
func modelOf(policy *snapshot.Policy, provider *snapshot.Provider) string {
	for _, route := range policy.Routes() {
		for _, target := range route.Targets {
			if target.Provider == provider {
				return target.Model
			}
		}
	}
	return ""
}

func (p *probe) request() *http.Request {
	if p.count == nil {
		return &http.Request{Method: http.MethodGet, URL: p.provider.Models}
	}
	return &http.Request{Method: http.MethodPost, URL: p.count, Header: http.Header{"Content-Type": jsonType},
		Body: io.NopCloser(bytes.NewReader(countedProbe)), ContentLength: int64(len(countedProbe))}
}

// refused tells whether an answer of 400 is about the credential, as Gemini's is.
func (p *probe) refused(response *http.Response) bool {
	if response.StatusCode != http.StatusBadRequest || p.provider.Dialect != policyv1.Dialect_DIALECT_GEMINI {
		return false
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxModelsBytes)) // what is not there says nothing
	return gemini.ParseAnswer(text).Credential
}

// read is which models there are.
func (p *probe) read(body io.Reader) (map[string]bool, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxModelsBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxModelsBytes:
		return nil, errTooLarge
	case p.count == nil:
		return readModels(text)
	}
	if _, ok := gemini.ReadCount(text); !ok {
		return nil, errNoCount
	}
	return map[string]bool{p.model: true}, nil
}

func found(outcome agentv1.ProviderTestResult_Outcome, reason string) *agentv1.ProviderTestResult {
	return &agentv1.ProviderTestResult{Outcome: outcome, Reason: clip(reason)}
}
