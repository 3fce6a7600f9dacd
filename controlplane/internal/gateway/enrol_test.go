package gateway_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestEnrol(t *testing.T) {
	joined := uuid.New()
	token := gateway.Token{ID: uuid.New(), GatewayID: uuid.New(), MaxUses: 2, ExpiresAt: now.Add(time.Second), Agents: []uuid.UUID{joined}}
	public := bytes.Repeat([]byte{7}, 32)
	cases := []struct {
		name   string
		token  func(*gateway.Token)
		change func(*gateway.Enrolment)
		events int
		kind   fault.Kind
		reason string
	}{
		{name: "new_agent", events: 1},
		{name: "same_again", change: func(e *gateway.Enrolment) { e.Known = &gateway.Agent{ID: joined} }},
		{
			name:   "same_again_after_the_end",
			token:  func(k *gateway.Token) { k.ExpiresAt, k.MaxUses = now, 1 },
			change: func(e *gateway.Enrolment) { e.Known = &gateway.Agent{ID: joined} },
		},
		{
			name:   "key_of_a_revoked_agent",
			change: func(e *gateway.Enrolment) { e.Known = &gateway.Agent{ID: joined, RevokedAt: now} },
			kind:   fault.Unauthenticated, reason: gateway.ReasonAgentRevoked,
		},
		{
			name:   "key_of_another_tokens_agent",
			change: func(e *gateway.Enrolment) { e.Known = &gateway.Agent{ID: uuid.New()} },
			kind:   fault.Conflict, reason: "public_key_taken",
		},
		{name: "expired", token: func(k *gateway.Token) { k.ExpiresAt = now }, kind: fault.Unauthenticated, reason: gateway.ReasonTokenExpired},
		{name: "exhausted", token: func(k *gateway.Token) { k.MaxUses = 1 }, kind: fault.Unauthenticated, reason: gateway.ReasonTokenExhausted},
		{name: "short_key", change: func(e *gateway.Enrolment) { e.PublicKey = public[:31] }, kind: fault.Invalid},
		{name: "zero_key", change: func(e *gateway.Enrolment) { e.PublicKey = make([]byte, 32) }, kind: fault.Invalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			k, e := token, gateway.Enrolment{AgentID: uuid.New(), PublicKey: public, Name: "host", Now: now}
			if c.token != nil {
				c.token(&k)
			}
			if c.change != nil {
				c.change(&e)
			}
			changes, err := k.Enrol(e)
			var f *fault.Error
			if errors.As(err, &f) != (c.kind != 0) || len(changes) != c.events {
				t.Fatalf("got %v, %v", changes, err)
			}
			if f != nil && (f.Kind != c.kind || f.Reason != c.reason) {
				t.Errorf("got kind %d, reason %q", f.Kind, f.Reason)
			}
		})
	}
}

func TestCreateToken(t *testing.T) {
	given := gateway.TokenCreation{ID: uuid.New(), GatewayID: uuid.New(), Now: now, GatewayExists: true}
	changes, err := gateway.CreateToken(given)
	if err != nil {
		t.Fatal(err)
	}
	body := changes[0].Body.(*eventv1.EnrolmentTokenCreated)
	if body.MaxUses != 1 || !body.ExpiresAt.AsTime().Equal(now.Add(24*time.Hour)) {
		t.Errorf("got %v", body)
	}
	given.GatewayExists = false
	if _, err := gateway.CreateToken(given); !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown gateway: %v", err)
	}
}
