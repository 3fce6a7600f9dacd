package proxy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/internal/spool"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// serving has a policy under which requests are served that find no room in the spool.
func serving(t *testing.T, options ...func(*proxy.Config)) *harness {
	h := newHarness(t, options...)
	h.whenFull = policyv1.SpoolFull_SPOOL_FULL_TOMBSTONE
	h.holder.Store(h.policy(h.upstream.URL))
	return h
}

func TestAFullSpoolServes(t *testing.T) {
	h := serving(t)
	if response, _ := h.post(goodKey, question+`}`); response.Header.Get("X-Weir-Unrecorded") != "" {
		t.Error("a request that is recorded says that it is not")
	}
	h.recorder.err = errFull
	response, text := h.post(goodKey, question+`}`)
	if response.StatusCode != 200 || response.Header.Get("X-Weir-Unrecorded") != "1" {
		t.Errorf("%d %q %s", response.StatusCode, response.Header, text)
	}
	<-h.done
	<-h.done
	begun, ended := h.recorder.forgone[1<<63], h.recorder.ended[1<<63]
	if begun.GetOutcome() != usagev1.Outcome_OUTCOME_INTERRUPTED || len(begun.GetAttempts()) != 1 || begun.GetStartedAtUs() == 0 {
		t.Errorf("begun as %v", begun)
	}
	if ended.GetOutcome() != usagev1.Outcome_OUTCOME_OK || ended.GetAttempts()[0].GetCostNanoUsd() == 0 {
		t.Errorf("ended as %v", ended)
	}
	response, text = h.post(goodKey, `{}`)
	wantError(t, response, text, 400, "model_missing")
	if counted := h.recorder.ended[1<<63+1]; response.Header.Get("X-Weir-Unrecorded") != "1" || counted.GetErrorCode() != "model_missing" {
		t.Errorf("a refusal is counted as %v", counted)
	}
	if n := len(h.recorder.started); n != 1 {
		t.Errorf("%d starts are recorded", n)
	}
}

// A fault that is no want of room blocks, whatever the policy says.
func TestAFaultySpoolServesNot(t *testing.T) {
	h := serving(t)
	h.recorder.err = errors.New("disk gone")
	response, text := h.post(goodKey, question+`}`)
	wantError(t, response, text, 503, "spool_unavailable")
	if len(h.mock.Requests()) != 0 {
		t.Error("it went upstream")
	}
}

// Where nothing can be counted the caller is told why, which is no want of room when the
// tombstone is broken; the log says it once.
func TestATombstoneThatTakesNothing(t *testing.T) {
	for code, err := range map[string]error{"spool_full": fmt.Errorf("no tombstone: %w", errFull), "spool_unavailable": errors.New("tombstone gone")} {
		t.Run(code, func(t *testing.T) {
			h := serving(t, func(c *proxy.Config) { c.Recorder = noTombstone{c.Recorder.(*fakeRecorder), err} })
			h.recorder.err = errFull
			for range 2 {
				response, text := h.post(goodKey, question+`}`)
				wantError(t, response, text, 503, code)
			}
			want := 0
			if code == "spool_unavailable" {
				want = 1
			}
			if n := strings.Count(h.log.String(), "usage is not recorded"); n != want {
				t.Errorf("it is said %d times: %s", n, h.log.String())
			}
		})
	}
}

type noTombstone struct {
	*fakeRecorder
	err error
}

func (f noTombstone) Forgo(uint64, *usagev1.UsageRecord) (uint64, error) { return 0, f.err }

// The second attempt finds no room: the request goes on, and its record has both.
func TestAnotherAttemptOnAFullSpool(t *testing.T) {
	for name, when := range map[string]policyv1.SpoolFull{"block": 0, "tombstone": policyv1.SpoolFull_SPOOL_FULL_TOMBSTONE} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *proxy.Config) { c.Recorder = fullAgain{c.Recorder.(*fakeRecorder)} })
			h.whenFull = when
			h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "dear-model", 0)}})
			h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 503})
			response, text := h.post(goodKey, toRoute("routed", ""))
			<-h.done
			if when == 0 {
				wantError(t, response, text, 503, "spool_full")
				return
			}
			ended := h.recorder.ended[1]
			if response.StatusCode != 200 || response.Header.Get("X-Weir-Unrecorded") != "" || len(ended.GetAttempts()) != 2 {
				t.Errorf("%d %s, record %v", response.StatusCode, text, ended)
			}
			if begun := h.recorder.forgone[1]; len(begun.GetAttempts()) != 2 {
				t.Errorf("counted as %v", begun)
			}
		})
	}
}

// fullAgain has room for starts only.
type fullAgain struct{ *fakeRecorder }

func (f fullAgain) Again(uint64, *usagev1.UsageRecord) error { return errFull }

func (f fullAgain) Forgo(id uint64, r *usagev1.UsageRecord) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgone = map[uint64]*usagev1.UsageRecord{id: r}
	return id, nil
}

// A real spool at its bound: what was served is in its tombstone.
func TestATombstoneOfServedRequests(t *testing.T) {
	log, err := spool.Open(spool.Options{Dir: t.TempDir(), SegmentBytes: 8 << 10, MaxBytes: 32 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close(t.Context()) })
	for err == nil {
		err = log.Refuse(&usagev1.UsageRecord{RequestId: "r"})
	}
	h := serving(t, func(c *proxy.Config) { c.Recorder, c.ErrSpoolFull = log, spool.ErrFull })
	for range 3 {
		if response, text := h.post(goodKey, question+`}`); response.StatusCode != 200 {
			t.Fatalf("%d %s", response.StatusCode, text)
		}
		<-h.done
	}
	lost := log.Stats().Tombstone
	if lost.Requests != 3 || lost.Attempts != 3 || lost.UnpricedAttempts != 0 || lost.CostNanoUSD == 0 {
		t.Errorf("%+v", lost)
	}
}
