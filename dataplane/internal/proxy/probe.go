package proxy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/secret"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// maxModelsBytes bounds a list of models that is read.
const maxModelsBytes = 4 << 20

// testProvider asks a provider which models there are, as a request would go to it: its
// credential, headers and bounds, and over a connection of its own. A refusal says that
// there is nothing to test.
func (h *Handler) testProvider(ctx context.Context, policy *snapshot.Policy, m *agentv1.ProviderTest) (*agentv1.ProviderTestResult, *dialect.Refusal) {
	if policy == nil {
		return nil, h.withoutPolicyBecause()
	}
	provider := policy.Provider(m.GetProviderId())
	if provider == nil {
		return nil, &dialect.Refusal{Code: "provider_unknown",
			Message: fmt.Sprintf("The policy of version %d, which this agent serves, has no provider %s.", policy.Version(), m.GetProviderId())}
	}
	credential, refusal, why := h.open(provider)
	switch refusal {
	case nil:
		return h.probe(ctx, provider, credential, m.GetModel()), nil
	case providerNotAllowed:
		return found(agentv1.ProviderTestResult_OUTCOME_BLOCKED, why), nil
	}
	return found(agentv1.ProviderTestResult_OUTCOME_CREDENTIAL_UNAVAILABLE, why), nil
}

func found(outcome agentv1.ProviderTestResult_Outcome, reason string) *agentv1.ProviderTestResult {
	return &agentv1.ProviderTestResult{Outcome: outcome, Reason: clip(reason)}
}

// probe makes the call. Redirects are not followed: it goes through the transport alone.
func (h *Handler) probe(ctx context.Context, provider *snapshot.Provider, credential secret.Value, model string) *agentv1.ProviderTestResult {
	limit := cmp.Or(provider.Timeouts.FirstByte, h.config.FirstByteTimeout)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var times times
	request := &http.Request{Method: http.MethodGet, URL: provider.Models, Header: upstreamHeader(nil, provider, credential)}
	begun := time.Now()
	response, err := h.fresh.RoundTrip(request.WithContext(httptrace.WithClientTrace(ctx, times.trace(begun))))
	if err != nil {
		return times.tell(unanswered(ctx, err))
	}
	defer func() { _ = response.Body.Close() }()
	result := answered(ctx, response, model)
	result.Status = int32(response.StatusCode)
	return times.tell(result)
}

// unanswered is a call that ended before the status line.
func unanswered(ctx context.Context, err error) *agentv1.ProviderTestResult {
	if ctx.Err() != nil || timedOut(err) {
		return found(agentv1.ProviderTestResult_OUTCOME_TIMEOUT, "It did not answer in time.")
	}
	return found(agentv1.ProviderTestResult_OUTCOME_UNREACHABLE, unreachable(err))
}

// answered says what a status means, and reads the list that should come with 200.
func answered(ctx context.Context, response *http.Response, model string) *agentv1.ProviderTestResult {
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return found(agentv1.ProviderTestResult_OUTCOME_CREDENTIAL_REFUSED, "It refused the credential of this gateway.")
	case status >= 300 && status < 400:
		return unexpected("It answered with a redirect, which is not followed.")
	case status == http.StatusNotFound:
		return unexpected("It has no list of models at its base URL: look whether that is right.")
	case status == http.StatusTooManyRequests:
		return unexpected("It holds this gateway back for too many requests.")
	case status != http.StatusOK:
		return unexpected("It answered with another status than 200.")
	}
	models, err := readModels(response.Body)
	switch {
	case ctx.Err() != nil:
		return found(agentv1.ProviderTestResult_OUTCOME_TIMEOUT, "It did not finish its answer in time.")
	case errors.Is(err, errTooLarge):
		return unexpected(fmt.Sprintf("Its list of models is larger than %d bytes.", maxModelsBytes))
	case errors.Is(err, errNoModels):
		return unexpected("Its answer is no list of models.")
	case err != nil:
		return unexpected("It broke off its answer.")
	}
	result := found(agentv1.ProviderTestResult_OUTCOME_OK, "")
	if model != "" {
		result.ModelListed = proto.Bool(models[model])
	}
	return result
}

func unexpected(reason string) *agentv1.ProviderTestResult {
	return found(agentv1.ProviderTestResult_OUTCOME_UNEXPECTED_ANSWER, reason)
}

var errNoModels = errors.New("no list of models")

// readModels reads the answer to GET /models, which in both dialects has their ids alike
// (https://platform.openai.com/docs/api-reference/models/list,
// https://platform.claude.com/docs/en/api/models-list).
func readModels(body io.Reader) (map[string]bool, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxModelsBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxModelsBytes {
		return nil, errTooLarge
	}
	var list struct {
		Data *[]struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &list); err != nil || list.Data == nil {
		return nil, errNoModels
	}
	models := make(map[string]bool, len(*list.Data))
	for _, entry := range *list.Data {
		models[entry.ID] = true
	}
	return models, nil
}
