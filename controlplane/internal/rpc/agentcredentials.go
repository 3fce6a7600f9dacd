package rpc

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// maxAgentCredentials bounds one answer.
const maxAgentCredentials = 1000

// ListAgentCredentials answers with those first that can't use it.
func (s *gateways) ListAgentCredentials(ctx context.Context, req *connect.Request[adminv1.ListAgentCredentialsRequest]) (*connect.Response[adminv1.ListAgentCredentialsResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	provider, err := parseID("provider_id", req.Msg.GetProviderId())
	matches, matchErr := sameID("gateway_id", req.Msg.GetGatewayId())
	if err := errors.Join(err, matchErr); err != nil {
		return nil, err
	}
	agents, err := s.livingAgents(ctx, caller.OrganizationID, provider, matches)
	if err != nil {
		return nil, err
	}
	ids := convertAll(agents, func(a gateway.Agent) uuid.UUID { return a.ID })
	said, err := s.agents.Credentials(ctx, caller.OrganizationID, ids, provider.String())
	if err != nil {
		return nil, err
	}
	answer := &adminv1.ListAgentCredentialsResponse{}
	for _, a := range agents {
		answer.Credentials = append(answer.Credentials, toProtoAgentCredential(a, provider.String(), said[a.ID]))
	}
	sortCredentials(answer.Credentials)
	if left := len(answer.Credentials) - maxAgentCredentials; left > 0 {
		answer.Credentials, answer.LeftOut = answer.Credentials[:maxAgentCredentials], int32(left)
	}
	return connect.NewResponse(answer), nil
}

// livingAgents of the gateways that the caller asks for, if there is the provider.
func (s *gateways) livingAgents(ctx context.Context, organization, provider uuid.UUID, matches []readmodel.Match) (agents []gateway.Agent, err error) {
	err = s.store.Read(ctx, organization, func(v readmodel.View) error {
		if _, err := readmodel.Providers.Find(ctx, v, provider); err != nil {
			return err
		}
		agents, err = readmodel.Agents.All(ctx, v, append(matches, readmodel.Match{Column: "revoked_at"})...)
		return err
	})
	return agents, err
}

// credentialsOf one agent, of all providers that it named.
func (s *gateways) credentialsOf(ctx context.Context, a gateway.Agent) ([]*adminv1.AgentCredential, error) {
	said, err := s.agents.Credentials(ctx, a.OrganizationID, []uuid.UUID{a.ID}, "")
	if err != nil {
		return nil, err
	}
	return toProtoAgentCredentials(a, said[a.ID]), nil
}

// addTroubles shows what each agent of a list can't use.
func (s *gateways) addTroubles(ctx context.Context, organization uuid.UUID, agents []gateway.Agent, to []*adminv1.Agent) error {
	said, err := s.agents.Troubles(ctx, organization, convertAll(agents, func(a gateway.Agent) uuid.UUID { return a.ID }))
	if err != nil {
		return err
	}
	for n, a := range agents {
		to[n].Credentials = toProtoAgentCredentials(a, said[a.ID])
	}
	return nil
}

func toProtoAgentCredentials(a gateway.Agent, said fleet.Credentials) []*adminv1.AgentCredential {
	var credentials []*adminv1.AgentCredential
	for _, provider := range slices.Sorted(maps.Keys(said.ByProvider)) {
		credentials = append(credentials, toProtoAgentCredential(a, provider, said))
	}
	sortCredentials(credentials)
	return credentials
}

// sortCredentials puts those first that can't be used, then those that are old, then
// those of which nobody knows.
func sortCredentials(credentials []*adminv1.AgentCredential) {
	rank := func(c *adminv1.AgentCredential) int {
		switch c.State {
		case adminv1.CredentialState_CREDENTIAL_STATE_OK, adminv1.CredentialState_CREDENTIAL_STATE_NONE:
			return 3
		case adminv1.CredentialState_CREDENTIAL_STATE_UNSPECIFIED:
			return 2
		case adminv1.CredentialState_CREDENTIAL_STATE_STALE:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(credentials, func(a, b *adminv1.AgentCredential) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.AgentName, b.AgentName), cmp.Compare(a.AgentId, b.AgentId))
	})
}

// toProtoAgentCredential keeps the state's number: both enums agree, and a test holds
// them to it.
func toProtoAgentCredential(a gateway.Agent, provider string, said fleet.Credentials) *adminv1.AgentCredential {
	c := said.ByProvider[provider]
	return &adminv1.AgentCredential{
		ProviderId: provider, AgentId: a.ID.String(), AgentName: a.Name, GatewayId: a.GatewayID.String(),
		State: adminv1.CredentialState(c.State), Reason: c.Reason, Since: toTimestamp(c.Since),
		Fingerprint: c.Fingerprint, FingerprintKey: c.FingerprintKey, LastSeenAt: toTimestamp(said.LastSeenAt),
	}
}
