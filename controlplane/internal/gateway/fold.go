package gateway

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into a gateway's state.
func Apply(g Gateway, e eventlog.Event) (Gateway, error) {
	switch body := e.Body.(type) {
	case *eventv1.GatewayCreated:
		g = Gateway{
			ID: e.Subject, Name: body.GetName(), Region: body.GetRegion(), CreatedAt: e.RecordedAt,
			CredentialMaxAge: body.GetCredentialMaxAgeSeconds(), AllowedRegions: body.GetAllowedRegions(),
			WhenSpoolFull: unlessBlock(body.GetWhenSpoolFull()),
		}
		g = g.stageFrom(e.Version, rollout.FromProto(body.GetRollout()))
	case *eventv1.GatewayUpdated:
		g.Name, g.CredentialMaxAge, g.AllowedRegions = body.GetName(), body.GetCredentialMaxAgeSeconds(), body.GetAllowedRegions()
		g.WhenSpoolFull = unlessBlock(body.GetWhenSpoolFull())
	case *eventv1.GatewayRolloutSet:
		g = g.stageFrom(e.Version, rollout.FromProto(body.GetRollout()))
	case *eventv1.GatewayKeySet:
		g.PublicKey = body.GetPublicKey()
	case *eventv1.GatewayRestored:
		g = Gateway{
			ID: e.Subject, Name: body.GetName(), Region: body.GetRegion(), PublicKey: body.GetPublicKey(),
			CreatedAt:        body.GetCreatedAt().AsTime(),
			CredentialMaxAge: body.GetCredentialMaxAgeSeconds(), AllowedRegions: body.GetAllowedRegions(),
			WhenSpoolFull: unlessBlock(body.GetWhenSpoolFull()),
		}
		g = g.stageFrom(e.Version, rollout.FromProto(body.GetRollout()))
	default:
		return g, fmt.Errorf("fold gateway: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	g.Version = e.Version
	return g, nil
}

// ApplyToken folds one event into an enrolment token's state. An enrolment is
// the agent's event and the token's too.
func ApplyToken(t Token, e eventlog.Event) (Token, error) {
	switch body := e.Body.(type) {
	case *eventv1.EnrolmentTokenCreated:
		gateway, err := uuid.Parse(body.GetGatewayId())
		if err != nil {
			return t, fmt.Errorf("fold enrolment token %s: gateway: %w", e.Subject, err)
		}
		t = Token{
			ID: e.Subject, GatewayID: gateway, SHA256: body.GetSha256(), MaxUses: body.GetMaxUses(),
			ExpiresAt: body.GetExpiresAt().AsTime(), CreatedAt: e.RecordedAt, Agents: []uuid.UUID{},
		}
	case *eventv1.AgentEnrolled:
		t.Agents = append(slices.Clip(t.Agents), e.Subject)
	default:
		return t, fmt.Errorf("fold enrolment token: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	t.Version = e.Version
	return t, nil
}

// ApplyAgent folds one event into an agent's state.
func ApplyAgent(a Agent, e eventlog.Event) (Agent, error) {
	switch body := e.Body.(type) {
	case *eventv1.AgentEnrolled:
		gateway, err := uuid.Parse(body.GetGatewayId())
		if err != nil {
			return a, fmt.Errorf("fold agent %s: gateway: %w", e.Subject, err)
		}
		a = Agent{
			ID: e.Subject, OrganizationID: e.OrganizationID, GatewayID: gateway, Name: body.GetName(),
			PublicKey: body.GetPublicKey(), EnrolledAt: e.RecordedAt,
		}
	case *eventv1.AgentRenamed:
		a.Name = body.GetName()
	case *eventv1.AgentRevoked:
		a.RevokedAt = body.GetRevokedAt().AsTime()
	default:
		return a, fmt.Errorf("fold agent: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	a.Version = e.Version
	return a, nil
}
