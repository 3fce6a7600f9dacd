package proxy

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// maxReasonBytes bounds what an answer says in words.
const maxReasonBytes = 500

// Answer answers what is asked of this agent, under the policy that it serves now,
// before ctx ends. It never says what an upstream said, nor any credential. It serves
// nobody: no record is kept.
func (h *Handler) Answer(ctx context.Context, ask *agentv1.Ask) *agentv1.AnswerRequest {
	policy := h.config.Policy.Load()
	answer := &agentv1.AnswerRequest{AskId: ask.GetId()}
	if policy != nil {
		h.stand(answer, policy)
	}
	switch question := ask.GetQuestion().(type) {
	case *agentv1.Ask_ProviderTest:
		result, refusal := h.testProvider(ctx, policy, question.ProviderTest)
		answer.Result = &agentv1.AnswerRequest_ProviderTest{ProviderTest: result}
		if refusal != nil {
			answer.Result = noAnswer(string(refusal.Code), refusal.Message)
		}
	case *agentv1.Ask_DryRun:
		answer.Result = &agentv1.AnswerRequest_DryRun{DryRun: h.dryRun(policy, question.DryRun)}
	default:
		answer.Result = noAnswer("question_unknown", "This agent does not know what it was asked: it is older than the question.")
	}
	return answer
}

// stand says of which policy the answer is, and how old that is.
func (h *Handler) stand(answer *agentv1.AnswerRequest, policy *snapshot.Policy) {
	answer.Position = &agentv1.PolicyPosition{
		Epoch: policy.Epoch(), Version: policy.Version(), RevocationVersion: policy.RevocationVersion(),
	}
	if confirmed := h.config.Freshness(); !confirmed.IsZero() {
		answer.ConfirmedMsAgo = proto.Int64(max(0, h.config.Now().Sub(confirmed).Milliseconds()))
	}
}

func noAnswer(reason, message string) *agentv1.AnswerRequest_Refusal {
	return &agentv1.AnswerRequest_Refusal{Refusal: &agentv1.Refusal{Reason: reason, Message: clip(message)}}
}

// clip bounds what is said, at a whole character.
func clip(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxReasonBytes)], "")
}
