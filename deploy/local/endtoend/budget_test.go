package endtoend_test

import (
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// budget makes a key with a hard budget of a tenth of a cent, has many callers spend it, and
// wants all of it spent, but for less than one more request may cost, and no more.
func (s *stack) budget(t *testing.T) {
	t.Helper()
	// In nano-dollars. A request that names no service tier may be served in the dearest, which costs
	// less than twice as much.
	const amount, callers, most = 1_000_000, 16, 2 * (64*600 + 200*150)
	var projects struct{ Projects []struct{ ID string } }
	if err := s.call("weir.admin.v1.ProjectService/ListProjects", map[string]any{}, &projects); err != nil {
		t.Fatal(err)
	}
	var made struct {
		Key    struct{ ID string }
		Secret string
	}
	if err := s.call("weir.admin.v1.KeyService/CreateKey", map[string]any{"name": "with-a-budget", "projectId": projects.Projects[0].ID}, &made); err != nil {
		t.Fatal(err)
	}
	var budget struct{ Budget struct{ ID string } }
	err := s.call("weir.admin.v1.BudgetService/CreateBudget", map[string]any{
		"name": "a-tenth-of-a-cent", "scope": map[string]any{"keyId": made.Key.ID}, "amountNanoUsd": fmt.Sprint(amount),
		"window": map[string]any{"lifetime": map[string]any{}}, "mode": "QUOTA_MODE_HARD",
	}, &budget)
	if err != nil {
		t.Fatal(err)
	}
	created := s.createdAt(t, budget.Budget.ID)
	s.within(t, 10*time.Second, "the agent has key and budget", func() error {
		if v := s.policyVersion(t); v < created {
			return fmt.Errorf("it has version %d of %d", v, created)
		}
		return nil
	})
	served, last := s.spend(t, made.Secret, callers)
	if !strings.Contains(last, "budget_exceeded") || !strings.Contains(last, "a-tenth-of-a-cent") {
		t.Errorf("refused with %s", last)
	}
	s.within(t, 20*time.Second, "the rows of what was served", func() error {
		rows, err := s.query("SELECT countIf(outcome = 'ok') AS n, sum(cost_usd) AS cost FROM requests WHERE key_id = '" + made.Key.ID + "'")
		if err != nil {
			return err
		}
		if got := fmt.Sprint(rows[0]["n"]); got != fmt.Sprint(served) {
			return fmt.Errorf("%s rows of %d requests", got, served)
		}
		cost, ok := new(big.Rat).SetString(fmt.Sprint(rows[0]["cost"]))
		if !ok {
			return fmt.Errorf("cost %v", rows[0]["cost"])
		}
		cost.Mul(cost, big.NewRat(1e9, 1))
		if cost.Cmp(big.NewRat(amount, 1)) > 0 || cost.Cmp(big.NewRat(amount-most, 1)) < 0 {
			t.Errorf("%s of %d nano-dollars were spent by %d requests", cost.FloatString(0), amount, served)
		}
		return nil
	})
}

// createdAt is the log's version of the event that made a resource.
func (s *stack) createdAt(t *testing.T, id string) int {
	t.Helper()
	var list struct {
		Events []struct {
			Version int `json:",string"`
		}
	}
	if err := s.call("weir.admin.v1.HistoryService/ListEvents", map[string]any{"match": map[string]any{"resourceId": id}}, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Events) != 1 {
		t.Fatalf("%d events of %s", len(list.Events), id)
	}
	return list.Events[0].Version
}

// policyVersion that the agent serves: it tells whoever asks.
func (s *stack) policyVersion(t *testing.T) (version int) {
	t.Helper()
	response, err := http.Get(s.env["WEIR_AGENT_URL"] + "/v1/models")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := fmt.Sscan(response.Header.Get("X-Weir-Policy-Version"), &version); err != nil {
		t.Fatal(err)
	}
	return version
}

// spend asks from many callers until nobody is served for two seconds.
func (s *stack) spend(t *testing.T, key string, callers int) (served int, refusal string) {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	last := time.Now()
	ended := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return time.Since(last) > 2*time.Second
	}
	for range callers {
		group.Go(func() {
			for !ended() {
				status, text, err := s.askOnce(key)
				mu.Lock()
				switch {
				case status == http.StatusServiceUnavailable && strings.Contains(text, "quota_unavailable"): // no lease came within 50 ms
				case err != nil || status != http.StatusOK && status != http.StatusTooManyRequests:
					t.Errorf("%d %s %v", status, text, err)
				case status == http.StatusOK:
					served++
					last = time.Now()
				case status == http.StatusTooManyRequests:
					refusal = text
				}
				mu.Unlock()
				if status != http.StatusOK {
					time.Sleep(50 * time.Millisecond)
				}
			}
		})
	}
	group.Wait()
	return served, refusal
}

func (s *stack) askOnce(key string) (status int, text string, err error) {
	request, err := http.NewRequest(http.MethodPost, s.env["WEIR_AGENT_URL"]+"/v1/chat/completions",
		strings.NewReader(`{"model":"demo","max_tokens":64,"messages":[{"role":"user","content":"How deep is the lake?"}]}`))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}
