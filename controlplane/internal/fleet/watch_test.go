package fleet_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/proto/contract/agentjwt"
	"github.com/weirhq/weir/proto/contract/digest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func release(t *testing.T, m *agentv1.WatchResponse) *policyv1.Release {
	t.Helper()
	r := &policyv1.Release{}
	if err := proto.Unmarshal(m.GetSnapshot().GetRelease().GetRelease(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

func position(r *policyv1.Release) *agentv1.PolicyPosition {
	return &agentv1.PolicyPosition{Epoch: r.GetEpoch(), Version: r.GetVersion(), Root: r.GetRoot()}
}

func TestWatch(t *testing.T) {
	t.Run("a_new_agent_gets_a_whole_signed_policy", func(t *testing.T) {
		s := serve(t, fleet.Timing{})
		m := next(t, s.enrol(t).watch(t, &agentv1.WatchRequest{}))
		snapshot, header := m.GetSnapshot(), release(t, m)
		now, _ := s.world.Current(t.Context(), uuid.Nil)
		keys := now.Believed
		if !ed25519.Verify(keys[0].Key, digest.ReleaseMessage(snapshot.GetRelease().GetRelease()), snapshot.GetRelease().GetSignature()) {
			t.Error("the release's signature does not verify")
		}
		if !ed25519.Verify(keys[0].Key, digest.RevocationsMessage(snapshot.GetRevocations().GetRevocations()), snapshot.GetRevocations().GetSignature()) {
			t.Error("the revocations' signature does not verify")
		}
		if root := policy.Root(snapshot.GetResources()); !bytes.Equal(root, header.GetRoot()) || int(header.GetResourceCount()) != len(snapshot.GetResources()) {
			t.Errorf("%d resources with root %x, release says %d and %x", len(snapshot.GetResources()), root, header.GetResourceCount(), header.GetRoot())
		}
	})
	t.Run("a_release_asks_for_what_its_policy_needs", func(t *testing.T) {
		s := serve(t, fleet.Timing{})
		messages := s.enrol(t).watch(t, &agentv1.WatchRequest{})
		if got := release(t, next(t, messages)).GetMinimumCapability(); got != 1 {
			t.Errorf("capability %d without anything new", got)
		}
		rotated := key.Key{ID: uuid.New(), SHA256: make([]byte, 32), Previous: &key.Previous{SHA256: bytes.Repeat([]byte{1}, 32), ExpiresAt: time.Now()}}
		s.world.Change(func(state *policy.State) { state.Keys = append(state.Keys, rotated) })
		if got := release(t, until(t, messages, isSnapshot)).GetMinimumCapability(); got != 2 {
			t.Errorf("capability %d with a rotated key", got)
		}
	})
	t.Run("a_suspended_organizations_agents_keep_what_they_have", func(t *testing.T) {
		s := serve(t, fleet.Timing{})
		a := s.enrol(t)
		stream := a.watch(t, &agentv1.WatchRequest{})
		header := release(t, next(t, stream))
		s.world.Change(func(state *policy.State) { state.Frozen = true })
		if again := release(t, next(t, a.watch(t, &agentv1.WatchRequest{}))); !proto.Equal(header, again) {
			t.Errorf("an agent that lost its policy gets %v, want %v", again, header)
		}
		s.world.AddKey("while suspended")
		s.world.Change(func(state *policy.State) { state.Frozen = false })
		if got := release(t, until(t, stream, isSnapshot)); got.GetVersion() != header.GetVersion()+3 {
			t.Errorf("released version %d after version %d", got.GetVersion(), header.GetVersion())
		}
	})
	t.Run("who_has_it_gets_a_heartbeat_only", func(t *testing.T) {
		s := serve(t, fleet.Timing{})
		a := s.enrol(t)
		header := release(t, next(t, a.watch(t, &agentv1.WatchRequest{})))
		if m := next(t, a.watch(t, &agentv1.WatchRequest{Have: position(header)})); !isHeartbeat(m) {
			t.Errorf("got %v", m)
		}
	})
	t.Run("a_rejected_root_is_not_sent_again", func(t *testing.T) {
		s := serve(t, fleet.Timing{})
		a := s.enrol(t)
		header := release(t, next(t, a.watch(t, &agentv1.WatchRequest{})))
		messages := a.watch(t, &agentv1.WatchRequest{RejectedRoot: header.GetRoot()})
		if m := next(t, messages); !isHeartbeat(m) {
			t.Fatalf("got %v", m)
		}
		s.world.AddKey("another")
		if got := release(t, until(t, messages, isSnapshot)); bytes.Equal(got.GetRoot(), header.GetRoot()) {
			t.Error("the rejected root came")
		}
	})
	t.Run("nobody_is_sent_an_older_policy", func(t *testing.T) {
		s := serve(t, fleet.Timing{})
		a := s.enrol(t)
		have := position(release(t, next(t, a.watch(t, &agentv1.WatchRequest{}))))
		have.Epoch++
		if m := next(t, a.watch(t, &agentv1.WatchRequest{Have: have})); !isHeartbeat(m) {
			t.Errorf("got %v", m)
		}
	})
	t.Run("changes_reach_all_watchers", func(t *testing.T) {
		s := serve(t, fleet.Timing{})
		var streams []<-chan *agentv1.WatchResponse
		for range 20 {
			streams = append(streams, s.enrol(t).watch(t, &agentv1.WatchRequest{}))
		}
		for _, messages := range streams {
			until(t, messages, isSnapshot)
		}
		s.world.AddKey("another")
		for _, messages := range streams {
			until(t, messages, isSnapshot)
		}
	})
	t.Run("many_changes_are_few_messages", func(t *testing.T) {
		s := serve(t, fleet.Timing{Coalesce: 100 * time.Millisecond})
		messages := s.enrol(t).watch(t, &agentv1.WatchRequest{})
		until(t, messages, isSnapshot)
		for i := range 200 {
			s.world.AddKey(fmt.Sprint("key ", i))
		}
		snapshots := 0
		until(t, messages, func(m *agentv1.WatchResponse) bool {
			if !isSnapshot(m) {
				return false
			}
			snapshots++
			return release(t, m).GetVersion() == 202
		})
		if snapshots > 20 {
			t.Errorf("%d snapshots for 200 changes", snapshots)
		}
	})
	t.Run("a_revocation_does_not_wait_for_the_policy", func(t *testing.T) {
		s := serve(t, fleet.Timing{})
		messages := s.enrol(t).watch(t, &agentv1.WatchRequest{})
		until(t, messages, isSnapshot)
		gate := make(chan struct{})
		s.world.Hold = func() { <-gate }
		defer close(gate)
		began := time.Now()
		version := s.world.Revoke("first")
		m := until(t, messages, func(m *agentv1.WatchResponse) bool { return isRevocations(m) || isSnapshot(m) })
		t.Logf("revocation sent after %v, the policy still compiles", time.Since(began))
		set := &policyv1.Revocations{}
		if err := proto.Unmarshal(m.GetRevocations().GetRevocations(), set); err != nil {
			t.Fatal(err)
		}
		if set.GetVersion() != version || len(set.GetRevocations()) != 1 {
			t.Errorf("got %v, want one revocation of version %d", set, version)
		}
	})
	t.Run("settled_usage_is_told_when_it_grows", func(t *testing.T) {
		s := serve(t, fleet.Timing{Settled: 20 * time.Millisecond})
		messages := s.enrol(t).watch(t, &agentv1.WatchRequest{})
		until(t, messages, isHeartbeat)
		want := []*agentv1.SettledRange{{Boot: "b", FirstSeq: 1, LastSeq: 9}}
		s.world.Settle(want...)
		if diff := cmp.Diff(want, until(t, messages, isHeartbeat).GetHeartbeat().GetSettled(), protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("shutdown_sends_agents_away", func(t *testing.T) {
		s := serve(t, fleet.Timing{})
		messages := s.enrol(t).watch(t, &agentv1.WatchRequest{})
		until(t, messages, isSnapshot)
		go s.stop()
		until(t, messages, func(m *agentv1.WatchResponse) bool { return m.GetGoAway() != nil })
	})
	t.Run("old_streams_end", func(t *testing.T) {
		s := serve(t, fleet.Timing{StreamAge: 50 * time.Millisecond})
		messages := s.enrol(t).watch(t, &agentv1.WatchRequest{})
		until(t, messages, func(m *agentv1.WatchResponse) bool { return m.GetGoAway() != nil })
		if _, open := <-messages; open {
			t.Error("the stream goes on")
		}
	})
	t.Run("json_is_refused", func(t *testing.T) {
		s := serve(t, fleet.Timing{})
		a := s.enrol(t)
		body := append([]byte{0, 0, 0, 0, 2}, "{}"...)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+agentv1connect.AgentServiceWatchProcedure, bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/connect+json")
		req.Header.Set("Authorization", "Bearer "+a.sign(t, a.claims(agentv1connect.AgentServiceWatchProcedure, "")))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, _ := io.ReadAll(res.Body)
		if !bytes.Contains(answer, []byte("unimplemented")) {
			t.Errorf("got %q", answer)
		}
	})
}

// report is a call by hand; the answer's status.
func (a *agent) report(t *testing.T, m *agentv1.ReportRequest) (status int) {
	t.Helper()
	body, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	token := a.sign(t, a.claims(agentv1connect.AgentServiceReportProcedure, agentjwt.HashBody(body)))
	status, _ = post(t, a.url+agentv1connect.AgentServiceReportProcedure, token, body)
	return status
}

// Every report says which revocations are in force; that is stored once.
func TestReport_notes_revocations_once(t *testing.T) {
	s := serve(t, fleet.Timing{Flush: time.Millisecond})
	a := s.enrol(t)
	id := uuid.MustParse(a.id)
	for version, receipts := range []int{0, 1, 0, 1} { // by report: of none, 1, 1 again, 2
		before := s.world.LastReports()[id].Status.LastSeenAt
		a.report(t, &agentv1.ReportRequest{Position: &agentv1.PolicyPosition{Epoch: 1, RevocationVersion: int64(version+1) / 2}})
		for deadline := time.Now().Add(10 * time.Second); !s.world.LastReports()[id].Status.LastSeenAt.After(before); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the report is not stored")
			}
		}
		if got := s.world.LastReports()[id].Receipts; len(got) != receipts {
			t.Errorf("report %d: %v", version, got)
		}
	}
}

func TestReport(t *testing.T) {
	s := serve(t, fleet.Timing{Flush: time.Hour}) // both reports are stored as one
	a := s.enrol(t)
	send := func(m *agentv1.ReportRequest) int { return a.report(t, m) }
	t.Run("is_kept_with_every_tail", func(t *testing.T) {
		said := &agentv1.CredentialReport{Credentials: []*agentv1.CredentialStatus{
			{ProviderId: "p", State: agentv1.CredentialStatus_STATE_STALE, Reason: "gone\x00", SinceMs: 8_000},
		}}
		tried := &agentv1.TargetReport{LeftOut: 1, Targets: []*agentv1.TargetStatus{{ProviderId: "p", Model: "m", State: agentv1.TargetStatus_STATE_CLOSED, SinceMs: 9_000}}}
		for i, tail := range []*agentv1.BootTail{{Boot: "b1", LastSeq: 5}, {Boot: "b2", LastSeq: 2}} {
			m := &agentv1.ReportRequest{
				Position:     &agentv1.PolicyPosition{Epoch: 1, Version: 2, RevocationVersion: 3 + int64(i)},
				OldestStored: &agentv1.PolicyPosition{Epoch: 1, Version: 1}, Capability: 4, IgnoredKinds: []string{"guard\x00rail"},
				RevocationsInForceMs: 2_000,
				Reasons:              []string{"bad\x00thing"}, Tails: []*agentv1.BootTail{tail}, Version: "v", SpoolBytes: 4, SpoolRecords: 5,
				Build: "abc go1", Platform: "linux/arm64", PoliciesRejected: 6, SpoolOldestMs: 7_000, Requests: 9, Failures: 8,
				Credentials: said, Targets: tried,
			}
			if status := send(m); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
		}
		s.stop() // stores what is left
		got := s.world.LastReports()[uuid.MustParse(a.id)]
		want := fleet.Status{
			Version: "v", PolicyEpoch: 1, PolicyVersion: 2, RevocationVersion: 4,
			RejectReasons: []string{"badthing"}, SpoolBytes: 4, SpoolRecords: 5, LastSeenAt: got.Status.LastSeenAt,
			Build: "abc go1", Platform: "linux/arm64", Address: "127.0.0.1", PoliciesRejected: 6, Requests: 9, Failures: 8,
			SpoolOldestAt: got.Status.LastSeenAt.Add(-7 * time.Second),
			Credentials: map[string]fleet.Credential{
				"p": {State: agentv1.CredentialStatus_STATE_STALE, Reason: "gone", Since: got.Status.LastSeenAt.Add(-8 * time.Second)},
			},
			Targets: &fleet.Targets{SaidAt: got.Status.LastSeenAt, LeftOut: 1, Targets: []fleet.Target{
				{ProviderID: "p", Model: "m", State: agentv1.TargetStatus_STATE_CLOSED, Since: got.Status.LastSeenAt.Add(-9 * time.Second)},
			}},
			OldestEpoch: 1, OldestVersion: 1, Capability: 4, IgnoredKinds: []string{"guardrail"},
		}
		if diff := cmp.Diff(want, got.Status); diff != "" {
			t.Error(diff)
		}
		if got.Tails["b2"].LastSeq != 2 {
			t.Errorf("tails %v", got.Tails)
		}
		if _, kept := got.Receipts[3]; !kept {
			t.Error("the set that was in force in between is not noted")
		}
		if at := got.Receipts[4].AppliedAt; !at.Equal(got.Status.LastSeenAt.Add(-2*time.Second)) || got.Receipts[4].Epoch != 1 {
			t.Errorf("receipts %v", got.Receipts)
		}
	})
	t.Run("rules_of_the_contract_hold", func(t *testing.T) {
		if status := send(&agentv1.ReportRequest{Tails: []*agentv1.BootTail{{Boot: "", LastSeq: 1}}}); status != http.StatusBadRequest {
			t.Errorf("status %d, want 400", status)
		}
	})
}
