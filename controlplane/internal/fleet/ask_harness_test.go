package fleet_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/proto/contract/agentjwt"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
)

// able is what an agent says that can be asked.
var able = &agentv1.WatchRequest{Capability: 4}

func isAsk(m *agentv1.WatchResponse) bool { return m.GetAsk() != nil }

// answerTo sends an answer to some process of the control plane.
func (a *agent) answerTo(t *testing.T, url string, answer *agentv1.AnswerRequest) (status int, reason string) {
	t.Helper()
	const rpc = agentv1connect.AgentServiceAnswerProcedure
	body, err := proto.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	claims := a.claims(rpc, agentjwt.HashBody(body))
	claims.Audience = url
	return post(t, url+rpc, a.sign(t, claims), body)
}

func tested(id string, outcome agentv1.ProviderTestResult_Outcome) *agentv1.AnswerRequest {
	return &agentv1.AnswerRequest{AskId: id, Result: &agentv1.AnswerRequest_ProviderTest{ProviderTest: &agentv1.ProviderTestResult{Outcome: outcome}}}
}

const testedOK = agentv1.ProviderTestResult_OUTCOME_OK

func providerTest(s *server, named string) fleet.Question {
	state, _ := s.world.PolicyState(context.Background(), fleet.PolicyQuery{})
	q := fleet.Question{OrganizationID: state.OrganizationID, GatewayID: state.Gateway.ID,
		Ask: &agentv1.Ask{Question: &agentv1.Ask_ProviderTest{ProviderTest: &agentv1.ProviderTest{ProviderId: "p"}}}}
	if named != "" {
		q.AgentID = uuid.MustParse(named)
	}
	return q
}

// asking is a question under way.
type asking struct {
	answered chan fleet.Answered
	failed   chan *fault.Error
}

func ask(t *testing.T, desk fleet.AskDesk, q fleet.Question, times fleet.Asker) asking {
	t.Helper()
	times.Desk, times.Log = desk, slog.New(slog.DiscardHandler)
	a := asking{make(chan fleet.Answered, 1), make(chan *fault.Error, 1)}
	ctx := t.Context()
	go func() {
		answered, err := times.Ask(ctx, q)
		var known *fault.Error
		switch {
		case errors.As(err, &known):
			a.failed <- known
		case err != nil:
			a.failed <- fault.New(0, "no fault: %v", err)
		default:
			a.answered <- answered
		}
	}()
	return a
}

func (a asking) by(t *testing.T, agent string) *agentv1.AnswerRequest {
	t.Helper()
	select {
	case got := <-a.answered:
		if got.AgentID.String() != agent {
			t.Errorf("answered by %s, want %s", got.AgentID, agent)
		}
		return got.Answer
	case err := <-a.failed:
		t.Fatalf("no answer: %s %v", err.Reason, err)
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came of it in 20 s")
	}
	return nil
}

func (a asking) fails(t *testing.T, reason, words string) {
	t.Helper()
	select {
	case got := <-a.answered:
		t.Fatalf("answered: %v", got)
	case err := <-a.failed:
		if err.Reason != reason || !strings.Contains(err.Message, words) {
			t.Errorf("%s %v, want %s and %q", err.Reason, err, reason, words)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came of it in 20 s")
	}
}
