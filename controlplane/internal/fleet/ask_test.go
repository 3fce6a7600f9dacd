package fleet_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// atOnce waits for no agent's patience: only the end of a stream moves the ask on.
var atOnce = fleet.Asker{Patience: time.Minute}

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
		q := ask(t, &s.world.Asks, providerTest(s, ""), atOnce)
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
		q := ask(t, &s.world.Asks, providerTest(s, ""), atOnce)
		until(t, messages, isAsk)
		kill()
		q.fails(t, fleet.ReasonAgentSilent, "agent "+a.id+" was asked and gave no answer")
	})
	t.Run("whose_named_agent_dies_fails_though_others_are_there", func(t *testing.T) {
		s := serve(t, fleet.Timing{Asks: 10 * time.Millisecond})
		a, b := s.enrol(t), s.enrol(t)
		messages, kill := a.watchUntil(t, able)
		other := b.watch(t, able)
		q := ask(t, &s.world.Asks, providerTest(s, a.id), atOnce)
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
	t.Run("who_hangs_is_not_asked_again", func(t *testing.T) {
		s := serve(t, fleet.Timing{Asks: 10 * time.Millisecond})
		a := s.enrol(t)
		messages := a.watch(t, able)
		q := ask(t, &s.world.Asks, providerTest(s, ""), fleet.Asker{Patience: 100 * time.Millisecond})
		until(t, messages, isAsk)
		q.fails(t, fleet.ReasonAgentSilent, "agent "+a.id+" was asked and gave no answer")
		select {
		case m := <-messages:
			if isAsk(m) {
				t.Error("it was asked again")
			}
		default:
		}
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
		var posting sync.WaitGroup
		got := map[string]int{}
		for range 2 {
			a := s.enrol(t)
			messages := a.watch(t, able)
			next(t, messages)
			go func() {
				for m := range messages {
					if isAsk(m) {
						posting.Add(1)
						mu.Lock()
						got[a.id]++
						mu.Unlock()
						a.answerTo(t, s.url, tested(m.GetAsk().GetId(), testedOK))
						posting.Done()
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
		posting.Wait()
		mu.Lock()
		defer mu.Unlock()
		if answered < fleet.MaxAsks || answered+refused != 300 || len(got) != 2 {
			t.Errorf("%d answered, %d refused, by agents %v", answered, refused, got)
		}
	})
}
