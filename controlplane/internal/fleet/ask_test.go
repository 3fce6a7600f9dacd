package fleet_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
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
	state, _ := s.world.PolicyState(context.Background(), uuid.Nil, uuid.Nil)
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

func TestAsk(t *testing.T) {
	// Three processes over one store: one takes the question, one has the stream, one
	// gets the answer.
	t.Run("across_processes", func(t *testing.T) {
		table := fleet.NewAskTable(pgtest.Open(t))
		shared := func(c *fleet.Config) { c.Asks = table }
		world := fleettest.NewWorld()
		first, second := serveWorld(t, world, fleet.Timing{}, shared), serveWorld(t, world, fleet.Timing{}, shared)
		a := first.enrol(t)
		messages := a.watch(t, able)
		q := ask(t, table, providerTest(first, ""), fleet.Asker{})
		began := time.Now()
		got := until(t, messages, isAsk).GetAsk()
		t.Logf("asked → on the stream: %v", time.Since(began))
		if got.GetProviderTest().GetProviderId() != "p" || got.GetTimeoutMs() != 6000 {
			t.Errorf("asked %v", got)
		}
		if status, reason := a.answerTo(t, second.url, tested(got.GetId(), testedOK)); status != http.StatusOK {
			t.Fatalf("%d %s", status, reason)
		}
		if answer := q.by(t, a.id); answer.GetProviderTest().GetOutcome() != testedOK {
			t.Error(answer)
		}
		if open, _ := table.Open(t.Context()); len(open) != 0 {
			t.Error("something is left open")
		}
		if status, reason := a.answerTo(t, first.url, tested(got.GetId(), testedOK)); status != http.StatusNotFound || reason != "ask_unknown" {
			t.Errorf("after its end: %d %s", status, reason)
		}
	})
	t.Run("whose_agent_dies_goes_to_another_once", func(t *testing.T) {
		s := serve(t, fleet.Timing{Asks: 10 * time.Millisecond})
		a := s.enrol(t)
		first, kill := a.watchUntil(t, able)
		next(t, first)
		q := ask(t, &s.world.Asks, providerTest(s, ""), fleet.Asker{})
		until(t, first, isAsk)
		b := s.enrol(t)
		second := b.watch(t, able)
		next(t, second)
		kill()
		id := until(t, second, isAsk).GetAsk().GetId()
		b.answerTo(t, s.url, tested(id, testedOK))
		q.by(t, b.id)
	})
	t.Run("whose_agents_all_die_fails", func(t *testing.T) {
		s := serve(t, fleet.Timing{Asks: 10 * time.Millisecond})
		a := s.enrol(t)
		messages, kill := a.watchUntil(t, able)
		q := ask(t, &s.world.Asks, providerTest(s, ""), fleet.Asker{})
		until(t, messages, isAsk)
		kill()
		q.fails(t, fleet.ReasonAgentSilent, "agent "+a.id+" was asked and went away before an answer")
	})
	t.Run("whose_named_agent_dies_fails_though_others_are_there", func(t *testing.T) {
		s := serve(t, fleet.Timing{Asks: 10 * time.Millisecond})
		a, b := s.enrol(t), s.enrol(t)
		messages, kill := a.watchUntil(t, able)
		other := b.watch(t, able)
		q := ask(t, &s.world.Asks, providerTest(s, a.id), fleet.Asker{})
		until(t, messages, isAsk)
		kill()
		q.fails(t, fleet.ReasonAgentSilent, a.id)
		select {
		case m := <-other:
			if isAsk(m) {
				t.Error("the other was asked")
			}
		default:
		}
	})
	t.Run("who_hangs_is_overtaken_and_may_still_answer", func(t *testing.T) {
		s := serve(t, fleet.Timing{Asks: 10 * time.Millisecond})
		a := s.enrol(t)
		first := a.watch(t, able)
		next(t, first)
		q := ask(t, &s.world.Asks, providerTest(s, ""), fleet.Asker{Patience: 300 * time.Millisecond})
		id := until(t, first, isAsk).GetAsk().GetId()
		b := s.enrol(t)
		if again := until(t, b.watch(t, able), isAsk).GetAsk().GetId(); again != id {
			t.Errorf("asked %s, then %s", id, again)
		}
		a.answerTo(t, s.url, tested(id, testedOK))
		q.by(t, a.id)
	})
	t.Run("two_that_hang_are_enough", func(t *testing.T) {
		s := serve(t, fleet.Timing{Asks: 10 * time.Millisecond})
		for range 3 {
			s.enrol(t).watch(t, able)
		}
		ask(t, &s.world.Asks, providerTest(s, ""), fleet.Asker{Patience: 200 * time.Millisecond}).
			fails(t, fleet.ReasonAgentSilent, "were asked and did not answer in 200ms")
	})
	t.Run("an_old_agent_is_said_to_be_old", func(t *testing.T) {
		s := serve(t, fleet.Timing{Asks: 10 * time.Millisecond})
		messages := s.enrol(t).watch(t, &agentv1.WatchRequest{Capability: 3})
		next(t, messages)
		ask(t, &s.world.Asks, providerTest(s, ""), fleet.Asker{}).
			fails(t, fleet.ReasonNoAgent, `has capability 3 and must have 4: upgrade it`)
		young := s.enrol(t)
		asked := young.watch(t, able)
		q := ask(t, &s.world.Asks, providerTest(s, ""), fleet.Asker{})
		young.answerTo(t, s.url, tested(until(t, asked, isAsk).GetAsk().GetId(), testedOK))
		q.by(t, young.id)
	})
	t.Run("nobody_there", func(t *testing.T) {
		s := serve(t, fleet.Timing{})
		ask(t, &s.world.Asks, providerTest(s, ""), fleet.Asker{}).fails(t, fleet.ReasonNoAgent, "no agent of the gateway is connected")
		a := s.enrol(t)
		ask(t, &s.world.Asks, providerTest(s, a.id), fleet.Asker{}).fails(t, fleet.ReasonNoAgent, "agent "+a.id+" is not connected")
	})
	t.Run("an_agent_that_can_not_says_why", func(t *testing.T) {
		s := serve(t, fleet.Timing{Asks: 10 * time.Millisecond})
		a := s.enrol(t)
		messages := a.watch(t, able)
		for result, want := range map[*agentv1.AnswerRequest][2]string{
			{Result: &agentv1.AnswerRequest_Refusal{Refusal: &agentv1.Refusal{Reason: "provider_unknown", Message: "It has none."}}}: {fleet.ReasonAgentRefused, "can't answer: It has none."},
			{Result: &agentv1.AnswerRequest_DryRun{DryRun: &agentv1.DryRunResult{}}}:                                                 {fleet.ReasonAgentSilent, "answered what was not asked"},
		} {
			q := ask(t, &s.world.Asks, providerTest(s, ""), fleet.Asker{})
			result.AskId = until(t, messages, isAsk).GetAsk().GetId()
			a.answerTo(t, s.url, result)
			q.fails(t, want[0], want[1])
		}
	})
	t.Run("hundreds_at_once_are_bounded_and_spread", func(t *testing.T) {
		s := serve(t, fleet.Timing{Asks: 10 * time.Millisecond})
		var mu sync.Mutex
		got := map[string]int{}
		for range 2 {
			a := s.enrol(t)
			messages := a.watch(t, able)
			next(t, messages)
			go func() {
				for m := range messages {
					if isAsk(m) {
						mu.Lock()
						got[a.id]++
						mu.Unlock()
						a.answerTo(t, s.url, tested(m.GetAsk().GetId(), testedOK))
					}
				}
			}()
		}
		var waiting []asking
		for range 300 {
			waiting = append(waiting, ask(t, &s.world.Asks, providerTest(s, ""), fleet.Asker{}))
		}
		answered, refused := 0, 0
		for _, q := range waiting {
			select {
			case <-q.answered:
				answered++
			case err := <-q.failed:
				if err.Reason != fleet.ReasonTooManyAsks || err.RetryAfter <= 0 {
					t.Fatal(err)
				}
				refused++
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if answered < fleet.MaxAsks || answered+refused != 300 || len(got) != 2 {
			t.Errorf("%d answered, %d refused, by agents %v", answered, refused, got)
		}
	})
}

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
