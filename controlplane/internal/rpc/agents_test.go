package rpc_test

import (
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// agent is the tenant's only one.
func (n *tenant) agent(t *testing.T) *adminv1.Agent {
	t.Helper()
	return call(t, n.gateways.ListAgents, &adminv1.ListAgentsRequest{}).Agents[0]
}

func TestUpdateAgent(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	id := in.enrol(n).ID.String()
	rename := func(name string) *adminv1.UpdateAgentRequest {
		return &adminv1.UpdateAgentRequest{Agent: &adminv1.Agent{Id: id, Name: name}}
	}
	renamed := call(t, n.gateways.UpdateAgent, rename("Édge 1")).Agent
	same(t, renamed.Name, "Édge 1")
	same(t, call(t, n.gateways.UpdateAgent, rename("Édge 1")).Agent.Etag, renamed.Etag)
	in.seesAgent(t, n, mustParse(t, id))
	same(t, call(t, n.gateways.UpdateAgent, rename("Édge 1")).Agent.LastSeenAt != nil, true)
	same(t, call(t, n.gateways.GetAgent, &adminv1.GetAgentRequest{Id: id}).Agent.Name, "Édge 1")

	err := refused(t, connect.CodeInvalidArgument, n.gateways.UpdateAgent, rename(strings.Repeat("é", 201)))
	if !strings.Contains(err.Error(), "agent.name: want 1 to 200 characters, got 201") {
		t.Error(err)
	}
	stale := rename("other")
	stale.Mutation = &adminv1.Mutation{Etag: `"1"`}
	refused(t, connect.CodeAborted, n.gateways.UpdateAgent, stale)
	call(t, n.gateways.RevokeAgent, &adminv1.RevokeAgentRequest{Id: id})
	refused(t, connect.CodeFailedPrecondition, n.gateways.UpdateAgent, rename("too late"))
}

func TestRevokeAgent(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	public := publicKey(t)
	agent, err := in.runner.EnrolAgent(t.Context(), hashOf(n.enrolmentToken), public, "host-1")
	if err != nil {
		t.Fatal(err)
	}
	revoke := &adminv1.RevokeAgentRequest{Id: agent.ID.String(), Reason: "stolen"}
	once := call(t, n.gateways.RevokeAgent, revoke).Agent
	if since := time.Since(once.RevokedAt.AsTime()); since < 0 || since > time.Minute {
		t.Errorf("revoked at %s", once.RevokedAt.AsTime())
	}
	same(t, once.LastSeenAt == nil, true) // it never reported
	in.seesAgent(t, n, agent.ID)
	twice := call(t, n.gateways.RevokeAgent, &adminv1.RevokeAgentRequest{Id: agent.ID.String(), Reason: "again"}).Agent
	same(t, twice.Etag, once.Etag)
	same(t, twice.PolicyVersion, 1)
	if diff := cmp.Diff(n.agent(t), twice, protocmp.Transform()); diff != "" {
		t.Errorf("GetAgent says otherwise (-get +revoke):\n%s", diff)
	}
	same(t, twice.RevokedAt.AsTime(), once.RevokedAt.AsTime())
	same(t, n.agent(t).RevokedAt.AsTime(), once.RevokedAt.AsTime())
	events := call(t, n.history.ListEvents, &adminv1.ListEventsRequest{Match: &adminv1.EventMatch{Kinds: []string{"AgentRevoked"}}}).Events
	same(t, len(events), 1)

	t.Run("its_key_joins_nowhere", func(t *testing.T) {
		for _, text := range []string{n.enrolmentToken, in.enrolmentTokenOf(n, n.gateway.Id)} {
			if _, err := in.runner.EnrolAgent(t.Context(), hashOf(text), public, "host-1"); reasonOf(err) != gateway.ReasonAgentRevoked {
				t.Errorf("got %v", err)
			}
		}
	})
	t.Run("a_new_key_joins_with_a_new_token", func(t *testing.T) {
		if _, err := in.runner.EnrolAgent(t.Context(), hashOf(in.enrolmentTokenOf(n, n.gateway.Id)), publicKey(t), "host-1"); err != nil {
			t.Error(err)
		}
	})
	t.Run("lists_find_living_ones", func(t *testing.T) {
		living := call(t, n.gateways.ListAgents, &adminv1.ListAgentsRequest{Filter: "NOT revoked_at:*"}).Agents
		same(t, len(living), 1)
		differ(t, living[0].Id, agent.ID.String())
	})
	if rebuilt, err := in.store.Rebuild(t.Context(), readmodel.Rebuilding{Organization: mustParse(t, n.organization.Id)}); err != nil || rebuilt.Count > 0 {
		t.Errorf("read models differ: %v, %v", rebuilt.Differences, err)
	}
}

// The gateway goes only after its last agent, whoever asks first.
func TestRevokeAgentWhileItsGatewayIsDeleted(t *testing.T) {
	in := install(t)
	other, n := in.replica(), in.tenant("alpha")
	deleted := 0
	for round := range 20 {
		g := call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: "g" + string(rune('a'+round)), Region: "local"}).Gateway
		agent, err := in.runner.EnrolAgent(t.Context(), hashOf(in.enrolmentTokenOf(n, g.Id)), publicKey(t), "host")
		if err != nil {
			t.Fatal(err)
		}
		result := make(chan error, 1)
		go func() {
			_, err := n.gateways.RevokeAgent(t.Context(), connect.NewRequest(&adminv1.RevokeAgentRequest{Id: agent.ID.String()}))
			result <- err
		}()
		_, err = other.as(n.token).gateways.DeleteGateway(t.Context(), connect.NewRequest(&adminv1.DeleteGatewayRequest{Id: g.Id}))
		if revokeErr := <-result; revokeErr != nil {
			t.Fatal(revokeErr)
		}
		if err == nil {
			deleted++
		} else {
			same(t, connect.CodeOf(err), connect.CodeFailedPrecondition)
			call(t, n.gateways.DeleteGateway, &adminv1.DeleteGatewayRequest{Id: g.Id})
		}
	}
	t.Logf("the gateway was deleted at once in %d of 20", deleted)
}

// enrolmentTokenOf is a fresh token's text.
func (in *installation) enrolmentTokenOf(n *tenant, gatewayID string) string {
	in.t.Helper()
	return call(in.t, n.gateways.CreateEnrolmentToken, &adminv1.CreateEnrolmentTokenRequest{GatewayId: gatewayID}).Token
}
