package proxy_test

import (
	"context"
	"crypto/ed25519"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/internal/spool"
	"github.com/weirhq/weir/dataplane/llmtest"
	"github.com/weirhq/weir/proto/contract/batch"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// openSpool opens what is in a folder.
func openSpool(t *testing.T, folder string) *spool.Log {
	t.Helper()
	log, err := spool.Open(spool.Options{Dir: folder})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close(context.Background()) })
	return log
}

// afterKill are the records that a restart on a copy of the folder reports: a copy of
// the files at an instant is what kill -9 leaves of them.
func afterKill(t *testing.T, folder string) []*usagev1.UsageRecord {
	t.Helper()
	left := t.TempDir()
	if err := os.CopyFS(left, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	batches, err := openSpool(t, left).Flush(t.Context(), 1, func(boot string, records []*usagev1.UsageRecord) ([]byte, error) {
		return batch.Close("agent-1", boot, records, time.Now(), key)
	})
	if err != nil {
		t.Fatal(err)
	}
	_, records, err := batch.Open(batches[0].Value, func(*usagev1.BatchHeader) (ed25519.PublicKey, error) { return key.Public().(ed25519.PublicKey), nil })
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// TestAKillInsideOfTheSecondAttempt leaves both: the first as it ended, the second at
// the most it can have used.
func TestAKillInsideOfTheSecondAttempt(t *testing.T) {
	folder := t.TempDir()
	log := openSpool(t, folder)
	h := newHarness(t, func(c *proxy.Config) { c.Recorder, c.ErrSpoolFull = log, spool.ErrFull })
	h.routed(&policyv1.Route{Strategy: priority, Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "dear-model", 0)}})
	h.mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 503}, llmtest.Fault{Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _, _, _ = h.send(ctx, goodKey, toRoute("routed", `,"max_tokens":50`)) }()
	for len(h.mock.Requests()) < 2 {
		time.Sleep(time.Millisecond)
	}
	records := afterKill(t, folder)
	if len(records) != 1 || records[0].Outcome != usagev1.Outcome_OUTCOME_INTERRUPTED || len(records[0].Attempts) != 2 {
		t.Fatalf("reported %v", records)
	}
	failed, open := records[0].Attempts[0], records[0].Attempts[1]
	if failed.Outcome != upstreamError || failed.Status != 503 || failed.UsageSource != none || failed.GetCostNanoUsd() != 0 {
		t.Errorf("the first attempt is reported as %v", failed)
	}
	if open.Model != "dear-model" || open.Outcome != usagev1.Outcome_OUTCOME_INTERRUPTED || open.UsageSource != estimated || open.Usage.Output != 50 || open.CostNanoUsd == nil {
		t.Errorf("the second attempt is reported as %v", open)
	}
	cancel()
	<-h.done
}

// swapped is a recorder that another one may take the place of between requests.
type swapped struct{ proxy.Recorder }

// TestAKillInsideOfAHedge leaves both attempts at the most that they can have used.
func TestAKillInsideOfAHedge(t *testing.T) {
	folder := t.TempDir()
	log, recorder := openSpool(t, folder), &swapped{}
	h := newHarness(t, func(c *proxy.Config) {
		recorder.Recorder = c.Recorder
		c.Recorder, c.ErrSpoolFull = recorder, spool.ErrFull
	})
	route := hedgedRoute(nil, 2)
	route.Hedge.MinMs = 1
	h.routed(route)
	for range enoughTimes {
		h.post(goodKey, toRoute("routed", `,"max_tokens":50`))
		<-h.done
	}
	h.mock.Reset()
	recorder.Recorder = log
	h.mock.Script(llmtest.Fault{Delay: time.Hour}, llmtest.Fault{Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _, _, _ = h.send(ctx, goodKey, toRoute("routed", `,"max_tokens":50`)) }()
	eventually(t, "a hedge is made", func() bool { return len(h.mock.Requests()) == 2 })
	records := afterKill(t, folder)
	if len(records) != 1 || records[0].Outcome != torn {
		t.Fatalf("reported %v", records)
	}
	left := records[0]
	if diff := cmp.Diff([]attemptOf{{"gpt-4o", torn, estimated}, {"odd-model", torn, estimated}}, attemptsOf(left)); diff != "" {
		t.Fatal(diff)
	}
	for _, a := range left.Attempts {
		if a.Usage.Output != 50 {
			t.Errorf("reported %v", a)
		}
	}
	cancel()
	<-h.done
}
