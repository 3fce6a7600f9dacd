package control

import (
	"time"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// applyRevocations puts a larger set into force at once, then on disk. Of another one it
// takes what nobody said before: the memory keeps that.
func (c *Client) applyRevocations(signed *policyv1.SignedRevocations) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, err := c.identity.Load().revocations(signed)
	if err != nil {
		c.config.Log.Error("revocations refused", "error", err)
		return err
	}
	news := c.remember(takenBy(next.set))
	if c.serving == nil {
		c.pending = larger(c.pending, next)
		return nil
	}
	held := c.serving.revoked
	if larger(held, next) != next {
		if !news {
			return nil
		}
		next = held
	}
	if err := recovered(func() error { return c.config.ApplyRevocations(c.memory.over(c.serving.header, next.set)) }); err != nil {
		c.refused(err)
		c.config.Log.Error("revocations are not in force", "version", next.version(), "error", err)
	} else {
		c.config.Log.Info("revocations applied", "version", next.version(), "revoked", len(next.set.GetRevocations()))
	}
	if next == held {
		return nil
	}
	c.serving.revoked, c.inForce = next, time.Now()
	err = c.slots.write(c.serving)
	if c.unstored = err != nil; c.unstored {
		c.config.Log.Error("revocations are in force but not stored", "error", err)
	}
	c.reportNow()
	return nil
}
