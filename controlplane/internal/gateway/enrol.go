package gateway

import (
	"bytes"
	"crypto/ed25519"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Reasons why an enrolment token is refused; all are Unauthenticated faults.
const (
	ReasonTokenUnknown   = "enrolment_token_unknown"
	ReasonTokenExpired   = "enrolment_token_expired"
	ReasonTokenExhausted = "enrolment_token_exhausted"
)

// Token is an enrolment token as the log has it; its text is nowhere.
type Token struct {
	ID        uuid.UUID `json:"id"`
	GatewayID uuid.UUID `json:"gateway_id"`
	// SHA256 of the token's text, 32 bytes.
	SHA256    []byte    `json:"sha256"`
	MaxUses   int32     `json:"max_uses"`
	ExpiresAt time.Time `json:"expires_at"`
	CreatedAt time.Time `json:"created_at"`
	// Agents that joined with it, in order.
	Agents  []uuid.UUID `json:"agents"`
	Version int64       `json:"version"`
}

// Enrolment is what Enrol needs.
type Enrolment struct {
	AgentID uuid.UUID
	// PublicKey is Ed25519.
	PublicKey ed25519.PublicKey
	Name      string
	Now       time.Time
	// Known is the organization's agent with this public key; nil: there is none.
	Known *Agent
}

// Enrol lets an agent join with the token. An agent that joined with this token
// and key before is not enrolled again and uses nothing up. The key of a revoked
// agent joins nowhere.
func (t Token) Enrol(e Enrolment) ([]eventlog.Change, error) {
	if len(e.PublicKey) != ed25519.PublicKeySize || bytes.Equal(e.PublicKey, make([]byte, ed25519.PublicKeySize)) {
		return nil, fault.Field("public_key", "want an Ed25519 public key of %d bytes", ed25519.PublicKeySize)
	}
	if e.Known != nil {
		return nil, t.rejoin(*e.Known)
	}
	if !e.Now.Before(t.ExpiresAt) {
		return nil, fault.Because(fault.Unauthenticated, ReasonTokenExpired, "the enrolment token expired at %s", t.ExpiresAt.Format(time.RFC3339))
	}
	if len(t.Agents) >= int(t.MaxUses) {
		return nil, fault.Because(fault.Unauthenticated, ReasonTokenExhausted, "the enrolment token was used %d times of %d", len(t.Agents), t.MaxUses)
	}
	return []eventlog.Change{{Subject: e.AgentID, Body: &eventv1.AgentEnrolled{
		GatewayId: t.GatewayID.String(), EnrolmentTokenId: t.ID.String(), PublicKey: e.PublicKey, Name: e.Name,
	}}}, nil
}

func (t Token) rejoin(known Agent) error {
	if known.Revoked() {
		return known.Refused()
	}
	for _, id := range t.Agents {
		if id == known.ID {
			return nil
		}
	}
	return fault.Because(fault.Conflict, "public_key_taken", "an agent with this public key joined with another enrolment token")
}

// UnknownToken is the fault for a text that is no enrolment token.
func UnknownToken() error {
	return fault.Because(fault.Unauthenticated, ReasonTokenUnknown, "no such enrolment token")
}
