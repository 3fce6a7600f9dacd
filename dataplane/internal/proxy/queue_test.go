package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// bounded is a provider that allows so many requests in each window, and says so as OpenAI does.
type bounded struct {
	mu      sync.Mutex
	limit   int
	window  time.Duration
	ends    time.Time
	left    int
	refused int
	served  []string // whose requests, as their "user" says
	// held is closed when the request of "held" is to be answered, as one of a new window.
	held chan struct{}
}

func (b *bounded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if strings.Contains(string(body), "boundless") {
		_, _ = io.WriteString(w, `{"choices":[]}`)
		return
	}
	if strings.Contains(string(body), `"held"`) {
		<-b.held
	}
	b.mu.Lock()
	now := time.Now()
	if !now.Before(b.ends) {
		b.ends, b.left = now.Add(b.window), b.limit
	}
	status := http.StatusOK
	if b.left--; b.left < 0 {
		b.left, status = 0, http.StatusTooManyRequests
		b.refused++
	} else {
		_, model, _ := strings.Cut(string(body), `"user":"`)
		model, _, _ = strings.Cut(model, `"`)
		b.served = append(b.served, model)
	}
	header := w.Header()
	header.Set("X-Ratelimit-Limit-Requests", strconv.Itoa(b.limit))
	header.Set("X-Ratelimit-Remaining-Requests", strconv.Itoa(b.left))
	header.Set("X-Ratelimit-Reset-Requests", b.ends.Sub(now).String())
	b.mu.Unlock()
	header.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
}

const heavyKey, urgentKey = "weir_heavy_key", "weir_urgent_key"

// queueing is a harness whose route "queued" goes to a provider that has a queue.
func queueing(t *testing.T, b *bounded, queue *policyv1.Queue) *harness {
	t.Helper()
	h := newHarness(t)
	h.holder.Store(h.queues(b, queue))
	return h
}

// queues is the policy of such a harness.
func (h *harness) queues(b *bounded, queue *policyv1.Queue) *snapshot.Policy {
	t := h.t
	t.Helper()
	upstream := httptest.NewServer(b)
	t.Cleanup(upstream.Close)
	key := func(id, text string, k *policyv1.Key) *policyv1.Resource {
		k.Id, k.ProjectId, k.Sha256 = id, "project-1", hash(text)
		return resource(t, "key", id, k)
	}
	h.extra = append(h.extra,
		resource(t, "provider", "queued", &policyv1.Provider{Id: "queued", Name: "queued", Dialect: policyv1.Dialect_DIALECT_OPENAI,
			BaseUrl: upstream.URL + "/v1", CredentialRef: "env://WEIR_SECRET_MOCK", PriceList: "openai", Queue: queue}),
		resource(t, "route", "r-queued", &policyv1.Route{Id: "r-queued", Name: "queued", Strategy: policyv1.Strategy_STRATEGY_SINGLE,
			Targets: []*policyv1.Target{{ProviderId: "queued", Model: "gpt-4o"}}}),
		resource(t, "route", "r-spilling", &policyv1.Route{Id: "r-spilling", Name: "spilling", Strategy: policyv1.Strategy_STRATEGY_PRIORITY,
			Targets: []*policyv1.Target{{ProviderId: "queued", Model: "gpt-4o"}, {ProviderId: "tuned", Model: "boundless"}}}),
		key("k-heavy", heavyKey, &policyv1.Key{Weight: 3}),
		key("k-urgent", urgentKey, &policyv1.Key{Priority: policyv1.Priority_PRIORITY_INTERACTIVE}))
	return h.policy(upstream.URL)
}

// ask is served, and waits for its own end.
func (h *harness) ask(t *testing.T, key, who string) *http.Response {
	t.Helper()
	response, text := h.post(key, toRoute("queued", `,"user":"`+who+`"`))
	<-h.done
	if response.StatusCode != 200 {
		t.Fatalf("%s: %d %s", who, response.StatusCode, text)
	}
	return response
}

// A request that the provider has nothing left for waits until its limit starts over, and says
// for how long; that is no time that the agent took.
func TestARequestWaitsForItsProvider(t *testing.T) {
	b := &bounded{limit: 1, window: 2 * time.Second}
	h := queueing(t, b, &policyv1.Queue{MaxRequests: 5, MaxWaitMs: 10_000})
	if got := h.ask(t, goodKey, "first").Header.Get("X-Weir-Queued"); got != "" {
		t.Errorf("the first one waited %s ms", got)
	}
	response := h.ask(t, goodKey, "second")
	took, err := strconv.Atoi(response.Header.Get("X-Weir-Queued"))
	if err != nil || took < 100 || took > 2100 {
		t.Errorf("it waited %q ms", response.Header.Get("X-Weir-Queued"))
	}
	r := h.last()
	if at := r.Attempts[0].StartedAfterUs; at < int64(took-50)*1000 || r.OverheadUs > 300_000 {
		t.Errorf("it is asked %d µs after the begin, of which the agent took %d", at, r.OverheadUs)
	}
	if r.QueuedUs/1000 != int64(took) {
		t.Errorf("recorded %d µs in the queue, told %d ms", r.QueuedUs, took)
	}
	if r.Candidates[0].Verdict != usagev1.Verdict_VERDICT_CHOSEN || b.refused != 0 {
		t.Errorf("%v, refused %d times", r.Candidates, b.refused)
	}
	if !strings.Contains(h.log.String(), `"queued":`) || h.queued("served") != 1 {
		t.Errorf("%v are counted, or the log has no word of it", h.queued("served"))
	}
}

func (h *harness) queued(how string) float64 {
	h.t.Helper()
	families, err := h.registry.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "weir_agent_queued_total" && m.GetLabel()[0].GetValue() == how {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// What would not be its turn in time is refused at once, and told when to come.
func TestARequestDoesNotWaitInVain(t *testing.T) {
	b := &bounded{limit: 1, window: 30 * time.Second}
	h := queueing(t, b, &policyv1.Queue{MaxRequests: 5, MaxWaitMs: 3000})
	h.ask(t, goodKey, "first")
	begun := time.Now()
	response, text := h.post(goodKey, toRoute("queued", ""))
	h.refused(response, text, 429, "upstream_rate_limited")
	again, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	if again < 25 || again > 30 || time.Since(begun) > time.Second || response.Header.Get("X-Weir-Queued") != "" || h.queued("late") != 1 {
		t.Errorf("to come in %d s, told after %v, %v", again, time.Since(begun), response.Header)
	}
}

// Another target goes before any wait.
func TestAnotherTargetIsNoWait(t *testing.T) {
	b := &bounded{limit: 1, window: 10 * time.Second}
	h := queueing(t, b, &policyv1.Queue{MaxRequests: 5, MaxWaitMs: 30_000})
	h.ask(t, goodKey, "first")
	response, text := h.post(goodKey, toRoute("spilling", ""))
	<-h.done
	if got := response.Header.Get("X-Weir-Target"); response.StatusCode != 200 || got != "tuned/boundless" || response.Header.Get("X-Weir-Queued") != "" {
		t.Errorf("%s answered: %d %s", got, response.StatusCode, text)
	}
}

// waiting starts requests of a key that wait, one after the other, and returns what ends them.
func (h *harness) waiting(ctx context.Context, key, who string, count int) *sync.WaitGroup {
	h.t.Helper()
	all := &sync.WaitGroup{}
	for range count {
		before := h.gauge("weir_agent_requests_waiting")
		all.Go(func() {
			_, _, _ = h.send(ctx, key, toRoute("queued", `,"user":"`+who+`"`))
		})
		eventually(h.t, "it waits", func() bool { return h.gauge("weir_agent_requests_waiting") == before+1 })
	}
	return all
}

func (h *harness) gauge(name string) float64 {
	h.t.Helper()
	families, err := h.registry.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	h.t.Fatalf("there is no %s", name)
	return 0
}

// How many wait is told of each target that was tried, until they leave.
func TestHowManyWaitForATarget(t *testing.T) {
	b := &bounded{limit: 1, window: time.Minute}
	h := queueing(t, b, &policyv1.Queue{MaxRequests: 5, MaxWaitMs: 60_000})
	h.ask(t, goodKey, "first")
	if response, text := h.post(goodKey, toRoute("spilling", "")); response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	<-h.done
	stands := func(want float64) {
		t.Helper()
		eventually(t, "the gauge tells who waits", func() bool {
			return gaugeAt(t, h, "weir_agent_target_requests_waiting", "queued", "gpt-4o") == want
		})
		if other := gaugeAt(t, h, "weir_agent_target_requests_waiting", "tuned", "boundless"); other != 0 {
			t.Errorf("%v wait for another target", other)
		}
	}
	stands(0)
	ctx, leave := context.WithCancel(t.Context())
	all := h.waiting(ctx, goodKey, "waits", 3)
	stands(3)
	leave()
	all.Wait()
	stands(0)
	h.extra = nil
	h.holder.Store(h.policy("http://127.0.0.1:1")) // nothing leads there any more
	if series := gaugeAt(t, h, "weir_agent_target_requests_waiting", "queued", "gpt-4o"); series != -1 {
		t.Errorf("%v wait for a target that the policy does not have", series)
	}
}

// Of those that wait, the higher class goes first, then keys by weight: through the whole path.
func TestTurnsGoByPriorityAndWeight(t *testing.T) {
	b := &bounded{limit: 24, window: time.Minute, held: make(chan struct{})}
	h := queueing(t, b, &policyv1.Queue{MaxRequests: 100, MaxWaitMs: 60_000})
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _, _ = h.send(t.Context(), goodKey, toRoute("queued", `,"user":"held"`))
	}()
	eventually(t, "one is under way", func() bool { return h.gauge("weir_agent_requests_in_flight") == 1 })
	b.ends, b.left = time.Now().Add(40*time.Second), 1
	h.ask(t, goodKey, "first")
	light, heavy := h.waiting(t.Context(), goodKey, "light", 12), h.waiting(t.Context(), heavyKey, "heavy", 12)
	urgent := h.waiting(t.Context(), urgentKey, "urgent", 4)
	b.mu.Lock()
	b.window, b.ends = 2*time.Second, time.Now()
	b.mu.Unlock()
	close(b.held)
	<-answered
	light.Wait()
	heavy.Wait()
	urgent.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	count := map[string]int{}
	for _, who := range b.served[2:18] { // in the order in which they came there: one may overtake another
		count[who]++
	}
	if count["urgent"] != 4 || count["heavy"] < 7 || b.refused > 2 || len(b.served)+b.refused != 30 { // answers may overtake one another, too
		t.Errorf("the first sixteen of %d are %v, %d refused", len(b.served), count, b.refused)
	}
}

// What waits has reserved nothing of a budget: others may spend it meanwhile.
func TestWhatWaitsHoldsNoBudget(t *testing.T) {
	b := &bounded{limit: 1, window: 4 * time.Second}
	h, _, meter := budgeted(t, map[string]int64{firstID: 1000 * cent}, budgetOf(firstID))
	policy := h.queues(b, &policyv1.Queue{MaxRequests: 5, MaxWaitMs: 20_000})
	meter.Use(policy.Quotas())
	h.holder.Store(policy)
	quotas := policy.Quotas()
	left := func() int64 {
		s, known := meter.Standing(quotas[0], "")
		if !known {
			t.Fatal("nothing is known of the budget")
		}
		return s.Left
	}
	h.ask(t, goodKey, "first")
	before := left()
	waits := h.waiting(t.Context(), goodKey, "waits", 1)
	if got := left(); got != before {
		t.Errorf("%d nano-dollars are held for what waits", before-got)
	}
	waits.Wait()
	<-h.done
	if len(h.last().Charges) == 0 || left() >= before {
		t.Error("it was served without")
	}
}

// Who leaves while waiting leaves at once, with a record, and takes nothing with it.
func TestACallerLeavesTheQueue(t *testing.T) {
	b := &bounded{limit: 1, window: 4 * time.Second}
	h := queueing(t, b, &policyv1.Queue{MaxRequests: 5, MaxWaitMs: 20_000})
	h.ask(t, goodKey, "first")
	ctx, leave := context.WithCancel(t.Context())
	left := h.waiting(ctx, goodKey, "left", 1)
	leave()
	<-h.done
	left.Wait()
	if r := h.lastRefused(); r.Outcome != usagev1.Outcome_OUTCOME_CLIENT_CLOSED || r.Status != 0 || len(r.Attempts) != 0 || h.queued("left") != 1 {
		t.Errorf("%v", r)
	}
	if waiting := h.gauge("weir_agent_requests_waiting"); waiting != 0 {
		t.Errorf("%v wait", waiting)
	}
	h.ask(t, goodKey, "next")
	if fmt.Sprint(b.served) != "[first next]" {
		t.Errorf("%v", b.served)
	}
}

func (h *harness) lastRefused() *usagev1.UsageRecord {
	h.t.Helper()
	h.recorder.mu.Lock()
	defer h.recorder.mu.Unlock()
	if len(h.recorder.refused) == 0 {
		h.t.Fatal("nothing was recorded")
	}
	return h.recorder.refused[len(h.recorder.refused)-1]
}

// An agent that stops answers those that wait.
func TestThoseThatWaitAreAnsweredWhenTheAgentStops(t *testing.T) {
	b := &bounded{limit: 1, window: 20 * time.Second}
	h := queueing(t, b, &policyv1.Queue{MaxRequests: 5, MaxWaitMs: 60_000})
	address, cut := cuttable(h)
	h.ask(t, goodKey, "first")
	answered := make(chan *http.Response, 1)
	go func() { answered <- postTo(t, address, "/v1/chat/completions", toRoute("queued", "")) }()
	eventually(t, "it waits", func() bool { return h.gauge("weir_agent_requests_waiting") == 1 })
	cut()
	response := <-answered
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	<-h.done
	if response.StatusCode != 503 || !strings.Contains(string(text), "agent_stopping") {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	if r := h.lastRefused(); r.ErrorCode != "agent_stopping" || r.Outcome != usagev1.Outcome_OUTCOME_REFUSED {
		t.Errorf("%v", r)
	}
}
