package fleet_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// TestAskOfOneTenantIsNoneOfAnothers: both share the store, the process does not matter.
func TestAskOfOneTenantIsNoneOfAnothers(t *testing.T) {
	table := fleet.NewAskTable(pgtest.Open(t))
	fast := fleet.Timing{Asks: 10 * time.Millisecond}
	shared := func(c *fleet.Config) { c.Asks = table }
	ours, theirs := serveWorld(t, fleettest.NewWorld(), fast, shared), serveWorld(t, fleettest.NewWorld(), fast, shared)
	spy := theirs.enrol(t)
	spied := spy.watch(t, able)
	next(t, spied)
	a := ours.enrol(t)

	q := providerTest(ours, "")
	q.GatewayID = providerTest(theirs, "").GatewayID // as if ids were all that counts
	ask(t, table, q, fleet.Asker{}).fails(t, fleet.ReasonNoAgent, "no agent of the gateway is connected")

	messages := a.watch(t, able)
	under := ask(t, table, providerTest(ours, ""), fleet.Asker{})
	id := until(t, messages, isAsk).GetAsk().GetId()
	idle := ours.enrol(t)
	for _, stranger := range []struct {
		*agent
		url string
	}{{spy, theirs.url}, {idle, ours.url}} {
		if status, reason := stranger.answerTo(t, stranger.url, tested(id, agentv1.ProviderTestResult_OUTCOME_BLOCKED)); status != http.StatusNotFound || reason != "ask_unknown" {
			t.Errorf("an answer to an ask that is not its own: %d %s", status, reason)
		}
	}
	a.answerTo(t, ours.url, tested(id, testedOK))
	if answer := under.by(t, a.id); answer.GetProviderTest().GetOutcome() != testedOK {
		t.Error(answer)
	}
	select {
	case m := <-spied:
		if isAsk(m) {
			t.Error("the other tenant's agent was asked")
		}
	default:
	}
}

// Answers are from outside: what is no answer, or too much of one, is refused.
func TestOddAnswers(t *testing.T) {
	s := serve(t, fleet.Timing{})
	a := s.enrol(t)
	for name, answer := range map[string]*agentv1.AnswerRequest{
		"no_id":       tested("x", testedOK),
		"no_result":   {AskId: uuid.NewString()},
		"long_reason": {AskId: uuid.NewString(), Result: &agentv1.AnswerRequest_ProviderTest{ProviderTest: &agentv1.ProviderTestResult{Reason: strings.Repeat("x", 501)}}},
		"huge":        {AskId: uuid.NewString(), Result: &agentv1.AnswerRequest_Refusal{Refusal: &agentv1.Refusal{Message: strings.Repeat("x", 100_000)}}},
	} {
		if status, reason := a.answerTo(t, s.url, answer); status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d %s", name, status, reason)
		}
	}
}
