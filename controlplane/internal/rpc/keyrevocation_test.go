package rpc_test

import (
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func TestGetKeyRevocation(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	agent := in.enrol(n)
	table := fleet.NewReportTable(in.db)
	epoch, err := fleet.NewReleaseTable(in.db).Epoch(t.Context(), agent.OrganizationID)
	if err != nil {
		t.Fatal(err)
	}
	get := &adminv1.GetKeyRevocationRequest{Id: n.key.Id}
	refused(t, connect.CodeFailedPrecondition, n.keys.GetKeyRevocation, get)
	call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: n.key.Id})

	waiting := call(t, n.keys.GetKeyRevocation, get)
	same(t, waiting.Complete, false)
	same(t, waiting.Agents, 1)
	same(t, waiting.Receipts[0].AppliedAt == nil, true)

	applied := time.Now().UTC().Truncate(time.Microsecond)
	err = table.Save(t.Context(), []fleet.Report{{
		OrganizationID: agent.OrganizationID, AgentID: agent.ID, Status: fleet.Status{LastSeenAt: applied, RejectReasons: []string{}},
		Receipts: map[int64]fleet.Receipt{waiting.Version: {Epoch: epoch, AppliedAt: applied}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	done := call(t, n.keys.GetKeyRevocation, get)
	same(t, done.Complete, true)
	same(t, done.AgentsApplied, 1)
	same(t, done.Receipts[0].AgentId, agent.ID.String())
	same(t, done.Receipts[0].AppliedAt.AsTime(), applied)

	call(t, n.gateways.RevokeAgent, &adminv1.RevokeAgentRequest{Id: agent.ID.String()})
	ended := call(t, n.keys.GetKeyRevocation, get)
	same(t, ended.Agents, 0)
	same(t, ended.Complete, true)
	same(t, len(ended.Receipts), 1) // it had the key
	same(t, ended.Receipts[0].AgentRevokedAt != nil, true)
	same(t, ended.Receipts[0].AppliedAt.AsTime(), applied)

	t.Run("an_agent_that_was_revoked_before_a_key_was_made_never_had_it", func(t *testing.T) {
		made := call(t, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "late", ProjectId: n.project.Id}).Key
		call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: made.Id})
		same(t, len(call(t, n.keys.GetKeyRevocation, &adminv1.GetKeyRevocationRequest{Id: made.Id}).Receipts), 0)
	})
	t.Run("one_that_never_heard_of_it_is_listed_and_counts_for_nothing", func(t *testing.T) {
		made := call(t, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "later", ProjectId: n.project.Id}).Key
		join := func() gateway.Agent {
			a, err := in.runner.EnrolAgent(t.Context(), hashOf(in.enrolmentTokenOf(n, n.gateway.Id)), publicKey(t), "host")
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		deaf, living := join(), join()
		call(t, n.gateways.RevokeAgent, &adminv1.RevokeAgentRequest{Id: deaf.ID.String()})
		call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: made.Id})
		got := call(t, n.keys.GetKeyRevocation, &adminv1.GetKeyRevocationRequest{Id: made.Id})
		same(t, got.Agents, 1)
		same(t, got.Complete, false)
		same(t, got.Receipts[0].AgentId, living.ID.String())
		same(t, got.Receipts[1].AgentId, deaf.ID.String())
		same(t, got.Receipts[1].AppliedAt == nil, true)
	})
}

func TestAgentNotice(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	agent := in.enrol(n)
	release := fleet.Draft{OrganizationID: agent.OrganizationID, GatewayID: agent.GatewayID, Track: rollout.Stable, Version: 1, Root: make([]byte, 32), Believed: []string{"k"}, Seal: needing(4)}
	if _, err := fleet.NewReleaseTable(in.db).Publish(t.Context(), release); err != nil {
		t.Fatal(err)
	}
	for capability, want := range map[int32]string{0: "is from before 2026-11-26 and has at most 3", 3: "this build has 3", 4: ""} {
		status := fleet.Status{LastSeenAt: time.Now(), Capability: capability, IgnoredKinds: []string{"guardrail"}, RejectReasons: []string{}}
		err := fleet.NewReportTable(in.db).Save(t.Context(), []fleet.Report{{OrganizationID: agent.OrganizationID, AgentID: agent.ID, Status: status}})
		if err != nil {
			t.Fatal(err)
		}
		got := call(t, n.gateways.GetAgent, &adminv1.GetAgentRequest{Id: agent.ID.String()}).Agent
		if !strings.Contains(got.Notice, want) || (got.Notice == "") != (want == "") {
			t.Errorf("capability %d: %q", capability, got.Notice)
		}
		same(t, got.NeededCapability, 4)
		same(t, got.IgnoredKinds[0], "guardrail")
	}
	copies := fleet.Report{OrganizationID: agent.OrganizationID, AgentID: agent.ID, Status: fleet.Status{LastSeenAt: time.Now(), RejectReasons: []string{}},
		Tails: map[string]fleet.Tail{"00000001-00000000000000aa": {LastSeq: 1}, "00000001-00000000000000bb": {LastSeq: 1}}}
	if err := fleet.NewReportTable(in.db).Save(t.Context(), []fleet.Report{copies}); err != nil {
		t.Fatal(err)
	}
	got := call(t, n.gateways.GetAgent, &adminv1.GetAgentRequest{Id: agent.ID.String()}).Agent
	if !strings.Contains(got.Notice, "2 processes report as this agent: its state folder was copied") {
		t.Errorf("copies: %q", got.Notice)
	}
}

// needing makes a release that only agents of a capability can serve.
func needing(capability int32) func(int64) (*policyv1.SignedRelease, error) {
	return func(epoch int64) (*policyv1.SignedRelease, error) {
		header, err := proto.Marshal(&policyv1.Release{Epoch: epoch, MinimumCapability: capability})
		return &policyv1.SignedRelease{Release: header, Signature: make([]byte, 64), SigningKeyId: "k"}, err
	}
}

// Going back to a version at which the key lived gives agents no key back.
func TestRevokedKeyStaysInTheSetAfterARevert(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	before := n.version()
	call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: n.key.Id})
	call(t, n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: n.project.Id, DisplayName: "Later"}})
	call(t, n.history.Revert, toVersion(before))
	state, err := in.store.PolicyState(t.Context(), fleet.PolicyQuery{OrganizationID: uuid.MustParse(n.organization.Id), GatewayID: uuid.MustParse(n.gateway.Id)})
	if err != nil {
		t.Fatal(err)
	}
	set := policy.Revocations(state)
	if len(set.GetRevocations()) != 1 || set.GetRevocations()[0].GetKeyId() != n.key.Id {
		t.Errorf("the set has %v", set.GetRevocations())
	}
	for _, k := range state.Keys {
		if k.ID.String() == n.key.Id && k.RevokedAt.IsZero() {
			t.Error("the policy has the key living")
		}
	}
}
