package rpc_test

import (
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// says stores what an agent reported of credentials.
func (in *installation) says(a gateway.Agent, credentials map[string]fleet.Credential) {
	in.t.Helper()
	status := fleet.Status{LastSeenAt: time.Now(), RejectReasons: []string{}, Credentials: credentials}
	if err := in.reports.Save(in.t.Context(), []fleet.Report{{OrganizationID: a.OrganizationID, AgentID: a.ID, Status: status}}); err != nil {
		in.t.Fatal(err)
	}
}

func TestListAgentCredentials(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	joined := func(name string) gateway.Agent {
		agent, err := in.runner.EnrolAgent(t.Context(), hashOf(in.enrolmentTokenOf(n, n.gateway.Id)), publicKey(t), name)
		if err != nil {
			t.Fatal(err)
		}
		return agent
	}
	provider := n.provider.Id
	since := time.Now().Add(-time.Hour)
	fine := fleet.Credential{State: agentv1.CredentialStatus_STATE_OK, Fingerprint: "f", FingerprintKey: "k"}
	blocked := fleet.Credential{State: agentv1.CredentialStatus_STATE_BLOCKED, Reason: "not in the list", Since: since}
	in.says(joined("a-fine"), map[string]fleet.Credential{provider: fine})
	in.says(joined("b-stale"), map[string]fleet.Credential{provider: {State: agentv1.CredentialStatus_STATE_STALE, Reason: "gone"}})
	joined("c-silent")
	trouble := joined("d-blocked")
	in.says(trouble, map[string]fleet.Credential{provider: blocked, "another": fine})
	revoked := joined("e-revoked")
	in.says(revoked, map[string]fleet.Credential{provider: blocked})
	call(t, n.gateways.RevokeAgent, &adminv1.RevokeAgentRequest{Id: revoked.ID.String()})

	said := call(t, n.gateways.ListAgentCredentials, &adminv1.ListAgentCredentialsRequest{ProviderId: provider, GatewayId: n.gateway.Id}).Credentials
	var names []string
	for _, c := range said {
		names = append(names, c.AgentName+" "+c.State.String())
	}
	if diff := cmp.Diff([]string{
		"d-blocked CREDENTIAL_STATE_BLOCKED", "b-stale CREDENTIAL_STATE_STALE", "c-silent CREDENTIAL_STATE_UNSPECIFIED", "a-fine CREDENTIAL_STATE_OK",
	}, names); diff != "" {
		t.Fatal(diff)
	}
	same(t, said[0].Reason, "not in the list")
	same(t, said[0].Since.AsTime().Unix(), since.Unix())
	same(t, said[3].Fingerprint+said[3].FingerprintKey, "fk")
	if said[2].LastSeenAt != nil || said[0].LastSeenAt == nil {
		t.Errorf("seen at %v and %v", said[2].LastSeenAt, said[0].LastSeenAt)
	}
	own := call(t, n.gateways.GetAgent, &adminv1.GetAgentRequest{Id: trouble.ID.String()}).Agent.Credentials
	same(t, len(own), 2)
	same(t, own[0].ProviderId, provider)
	for _, a := range call(t, n.gateways.ListAgents, &adminv1.ListAgentsRequest{}).Agents {
		want := map[string]int{"b-stale": 1, "d-blocked": 1, "e-revoked": 1}[a.Name] // and never what is fine
		if len(a.Credentials) != want {
			t.Errorf("%s: %v", a.Name, a.Credentials)
		}
	}
	refused(t, connect.CodeInvalidArgument, n.gateways.ListAgentCredentials, &adminv1.ListAgentCredentialsRequest{ProviderId: "openai"})
}

func TestCredentialStatesAgree(t *testing.T) {
	for number, name := range agentv1.CredentialStatus_State_name {
		if got := adminv1.CredentialState_name[number]; got != "CREDENTIAL_"+name {
			t.Errorf("%d is %s and %s", number, name, got)
		}
	}
	if len(adminv1.CredentialState_name) != len(agentv1.CredentialStatus_State_name) {
		t.Error("one has more")
	}
}

func TestCredentialMaxAge(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	set := func(age time.Duration, mask ...string) *adminv1.UpdateGatewayRequest {
		r := &adminv1.UpdateGatewayRequest{Gateway: &adminv1.Gateway{Id: n.gateway.Id}, UpdateMask: &fieldmaskpb.FieldMask{Paths: mask}}
		if age != 0 {
			r.Gateway.CredentialMaxAge = durationpb.New(age)
		}
		return r
	}
	updated := call(t, n.gateways.UpdateGateway, set(time.Hour)).Gateway
	same(t, updated.CredentialMaxAge.AsDuration(), time.Hour)
	same(t, updated.Name, n.gateway.Name)
	renamed := call(t, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{Gateway: &adminv1.Gateway{Id: n.gateway.Id, Name: "renamed"}}).Gateway
	same(t, renamed.CredentialMaxAge.AsDuration(), time.Hour)
	for _, bad := range []time.Duration{-time.Second, time.Nanosecond, 1500 * time.Millisecond, 11 * 365 * 24 * time.Hour} {
		refused(t, connect.CodeInvalidArgument, n.gateways.UpdateGateway, set(bad))
	}
	ever := call(t, n.gateways.UpdateGateway, set(0, "credential_max_age")).Gateway
	if ever.CredentialMaxAge != nil || slices.Contains([]string{"", n.gateway.Name}, ever.Name) {
		t.Errorf("%v", ever)
	}
}
