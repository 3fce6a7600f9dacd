package control

import (
	"errors"
	"time"
)

// reasonRevoked is why the control plane refuses an agent for ever.
const reasonRevoked = "agent_revoked"

// Revoked says that the control plane ended this agent's identity; nil: it did not,
// as far as is known. Nobody signed that: what is served stays.
func (c *Client) Revoked() error {
	if refused := c.revoked.Load(); refused != nil {
		return refused
	}
	return nil
}

// noteRevoked tells whether err says that the agent was revoked, and says so in the
// log once.
func (c *Client) noteRevoked(err error) bool {
	refused := (*RefusedError)(nil)
	if !errors.As(err, &refused) || refused.Reason != reasonRevoked {
		return false
	}
	if c.revoked.CompareAndSwap(nil, refused) {
		c.config.Log.Error("this agent was revoked: it gets no policies, no revocations and no settled usage any more",
			"reason", refused.Reason, "error", refused, "hint", revokedHint)
	}
	return true
}

// heard ends what noteRevoked began before a stream on which something came: a restored
// control plane may not know of the revocation.
func (c *Client) heard(before *RefusedError) {
	if before != nil && c.revoked.CompareAndSwap(before, nil) {
		c.config.Log.Warn("the control plane answers this agent again")
	}
}

// newRevokedBackoff waits long: nothing but a restored control plane lets it in again.
func (c *Client) newRevokedBackoff() *backoff {
	first := max(c.config.Timing.Revoked/16, time.Millisecond)
	return &backoff{first: first, limit: first, most: c.config.Timing.Revoked}
}

const revokedHint = "it serves its last policy on, and keys revoked since still work here: take its traffic away and stop it; " +
	"to enrol anew, remove identity/ from its state folder and start it with a new token; its spool stays"
