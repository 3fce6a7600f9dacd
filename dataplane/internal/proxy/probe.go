package proxy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"strings"
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
		question, refusal := probeOf(policy, provider, m.GetModel())
		if refusal != nil {
			return nil, refusal
		}
		return h.probe(ctx, question, credential), nil
	case providerNotAllowed:
		return found(agentv1.ProviderTestResult_OUTCOME_BLOCKED, why), nil
	}
	return found(agentv1.ProviderTestResult_OUTCOME_CREDENTIAL_UNAVAILABLE, why), nil
}

// probe makes the call. Redirects are not followed: it goes through the transport alone.
func (h *Handler) probe(ctx context.Context, question *probe, credential secret.Value) *agentv1.ProviderTestResult {
	provider := question.provider
	limit := cmp.Or(provider.Timeouts.FirstByte, h.config.FirstByteTimeout)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var times times
	request := question.request()
	request.Header = upstreamHeader(request.Header, provider, credential)
	begun := time.Now()
	response, err := h.fresh.RoundTrip(request.WithContext(httptrace.WithClientTrace(ctx, times.trace(begun))))
	if err != nil {
		return times.tell(unanswered(ctx, err))
	}
	defer func() { _ = response.Body.Close() }()
	result := question.answered(ctx, response)
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

// answered says what a status means, and reads what should come with 200.
func (p *probe) answered(ctx context.Context, response *http.Response) *agentv1.ProviderTestResult {
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized, status == http.StatusForbidden, p.refused(response):
		return found(agentv1.ProviderTestResult_OUTCOME_CREDENTIAL_REFUSED, "It refused the credential of this gateway.")
	case status >= 300 && status < 400:
		return unexpected("It answered with a redirect, which is not followed.")
	case status == http.StatusNotFound && p.count != nil:
		return unexpected("It does not know the model " + p.model + " there: look whether that and its base URL are right.")
	case status == http.StatusNotFound:
		return unexpected("It has no list of models at its base URL: look whether that is right.")
	case status == http.StatusTooManyRequests:
		return unexpected("It holds this gateway back for too many requests.")
	case status != http.StatusOK:
		return unexpected("It answered with another status than 200.")
	}
	models, err := p.read(response.Body)
	switch {
	case ctx.Err() != nil:
		return found(agentv1.ProviderTestResult_OUTCOME_TIMEOUT, "It did not finish its answer in time.")
	case errors.Is(err, errTooLarge):
		return unexpected(fmt.Sprintf("Its list of models is larger than %d bytes.", maxModelsBytes))
	case errors.Is(err, errNoModels):
		return unexpected("Its answer is no list of models.")
	case errors.Is(err, errNoCount):
		return unexpected("Its answer is no number of tokens.")
	case err != nil:
		return unexpected("It broke off its answer.")
	}
	result := found(agentv1.ProviderTestResult_OUTCOME_OK, "")
	if p.asked {
		result.ModelListed = proto.Bool(models[p.model])
	}
	return result
}

func unexpected(reason string) *agentv1.ProviderTestResult {
	return found(agentv1.ProviderTestResult_OUTCOME_UNEXPECTED_ANSWER, reason)
}

var errNoModels = errors.New("no list of models")

// readModels reads the answer to GET /models. Google's has names, the others have ids alike
// (https://platform.openai.com/docs/api-reference/models/list,
// https://platform.claude.com/docs/en/api/models-list, https://ai.google.dev/api/models).
func readModels(text []byte) (map[string]bool, error) {
	type entry struct{ ID, Name string }
	var list struct{ Data, Models *[]entry }
	if err := json.Unmarshal(text, &list); err != nil || list.Data == nil && list.Models == nil {
		return nil, errNoModels
	}
	models := map[string]bool{}
	for _, entries := range []*[]entry{list.Data, list.Models} {
		if entries == nil {
			continue
		}
		for _, entry := range *entries {
			models[cmp.Or(entry.ID, strings.TrimPrefix(entry.Name, "models/"))] = true
		}
	}
	return models, nil
}
