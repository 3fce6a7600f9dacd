package control

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const enrolTimeout = 15 * time.Second

// enrol tries for ever; it returns an error only for what no retry can mend.
func (c *Client) enrol(ctx context.Context) error {
	key, err := c.keys.privateKey()
	if err != nil {
		return err
	}
	if c.config.Token.Reveal() == "" && c.LoadPolicy() {
		c.config.Log.Warn("serving the policy file without being enrolled: usage stays in the spool", "hint", enrolHint(errNoToken))
		<-ctx.Done()
		return nil
	}
	for retry := c.newBackoff(); ctx.Err() == nil; retry.wait(ctx) {
		identity, err := c.tryEnrol(ctx, key)
		if err == nil {
			return c.join(identity)
		}
		if ctx.Err() == nil {
			c.config.Log.Error("agent is not enrolled", "error", err, "hint", enrolHint(err))
		}
	}
	return nil
}

// join makes a new identity the agent's own, for ever.
func (c *Client) join(identity *Identity) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := errors.Join(c.suits(identity), c.mayShip(identity)); err != nil {
		return errors.Join(err, c.keys.discard())
	}
	if err := errors.Join(c.dropOthers(identity), c.keys.save(identity)); err != nil {
		return err
	}
	c.config.Log.Info("agent enrolled", "agent_id", identity.AgentID, "gateway_id", identity.GatewayID)
	c.adopt(identity)
	c.keep()
	return nil
}

func (c *Client) tryEnrol(ctx context.Context, key ed25519.PrivateKey) (*Identity, error) {
	token := c.config.Token.Reveal()
	if token == "" {
		return nil, errNoToken
	}
	ctx, cancel := context.WithTimeout(ctx, enrolTimeout)
	defer cancel()
	answer, err := c.service.Enroll(ctx, connect.NewRequest(&agentv1.EnrollRequest{
		Token:     token,
		PublicKey: key.Public().(ed25519.PublicKey),
		Name:      c.config.Name,
		Version:   c.config.Version,
	}))
	if err != nil {
		return nil, fmt.Errorf("enrol at %s: %w", c.config.URL, err)
	}
	c.transport.clock.learn(answer.Msg.GetServerTime().AsTime())
	identity := &Identity{
		AgentID:        answer.Msg.GetAgentId(),
		OrganizationID: answer.Msg.GetOrganizationId(),
		GatewayID:      answer.Msg.GetGatewayId(),
		ControlPlane:   c.config.URL,
		key:            key,
		signers:        make(map[string]ed25519.PublicKey),
	}
	for _, k := range answer.Msg.GetSigningKeys() {
		if len(k.GetPublicKey()) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("enrol at %s: signing key %q has %d bytes", c.config.URL, k.GetId(), len(k.GetPublicKey()))
		}
		identity.signers[k.GetId()] = k.GetPublicKey()
	}
	if len(identity.signers) == 0 {
		return nil, fmt.Errorf("enrol at %s: no signing keys came", c.config.URL)
	}
	return identity, nil
}

var errNoToken = errors.New("no identity and no enrolment token")

// enrolHint tells the operator what helps.
func enrolHint(err error) string {
	if errors.Is(err, errNoToken) {
		return "create an enrolment token for the gateway and start the agent with it"
	}
	if refused := (*connect.Error)(nil); errors.As(err, &refused) && refused.Meta().Get(reasonHeader) == reasonRevoked {
		return "the agent with this key was revoked: remove identity/ from the state folder and start with a new token"
	}
	switch connect.CodeOf(err) {
	case connect.CodeUnauthenticated, connect.CodePermissionDenied, connect.CodeNotFound, connect.CodeInvalidArgument,
		connect.CodeFailedPrecondition, connect.CodeResourceExhausted:
		return "the token is refused: create a new enrolment token for the gateway and start the agent with it"
	}
	return "check that the control plane is up and its URL is right; the agent goes on trying"
}
