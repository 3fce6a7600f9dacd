package control

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// steady is how long a stream must last for its end to be met with a quick retry.
const steady = 5 * time.Second

var (
	errWatchdog = errors.New("nothing came for too long")
	errSilence  = errors.New("nothing came at all")
)

// goAwayError is how the control plane sent the agent away.
type goAwayError struct {
	reason string
	spread time.Duration // over which those come back that were sent away together
}

func (e *goAwayError) Error() string { return "the control plane sent the agent away: " + e.reason }

// watch keeps one stream open until ctx ends.
func (c *Client) watch(ctx context.Context) {
	retry, revoked := c.newBackoff(), c.newRevokedBackoff()
	said := ""
	for {
		began := time.Now()
		err := c.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if c.noteRevoked(err) {
			if !revoked.wait(ctx) {
				return
			}
			continue
		}
		revoked.reset()
		away := (*goAwayError)(nil)
		if time.Since(began) > steady && !errors.Is(err, errUntrusted) || errors.As(err, &away) {
			retry.reset()
			said = ""
		}
		if reason := err.Error(); reason != said {
			c.config.Log.Warn("policy stream ended, trying again", "error", err, "hint", watchHint(err))
			said = reason
		}
		c.transport.base.CloseIdleConnections() // a dead connection would be used again
		if away != nil {
			retry.atLeast(away.spread)
		}
		if !retry.wait(ctx) {
			return
		}
	}
}

func (c *Client) watchOnce(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var begun atomic.Bool
	watchdog := time.AfterFunc(c.silence(), func() {
		if begun.Load() {
			cancel(errWatchdog)
		} else {
			cancel(errSilence)
		}
	})
	defer watchdog.Stop()
	ctx = withTouch(ctx, func() { begun.Store(true); watchdog.Reset(c.config.Timing.Watchdog) })

	before := c.revoked.Load()
	stream, err := c.service.Watch(ctx, connect.NewRequest(c.watchRequest()))
	if err != nil {
		return c.streamError(ctx, err)
	}
	defer stream.Close()
	reception := &reception{client: c}
	for stream.Receive() {
		c.heard(before)
		if err := reception.take(stream.Msg()); err != nil {
			return err
		}
	}
	return c.streamError(ctx, stream.Err())
}

func (c *Client) streamError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err == nil {
		return errors.New("the control plane closed the stream")
	}
	return err
}

func (c *Client) watchRequest() *agentv1.WatchRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rejected == nil {
		c.reasons = nil // what another stream said was not this policy's fault
	}
	request := &agentv1.WatchRequest{Have: c.position(), RejectedRoot: c.rejected, Capability: Capability, Whole: c.misfits >= maxMisfits}
	if c.serving != nil {
		request.Release = c.serving.release
	}
	return request
}

// position is what is served; nil: nothing.
func (c *Client) position() *agentv1.PolicyPosition {
	if c.serving == nil {
		return nil
	}
	return &agentv1.PolicyPosition{
		Epoch:             c.serving.header.GetEpoch(),
		Version:           c.serving.header.GetVersion(),
		Root:              c.serving.header.GetRoot(),
		RevocationVersion: c.serving.revoked.version(),
	}
}

func (c *Client) heartbeat(m *agentv1.Heartbeat) {
	c.transport.clock.learn(m.GetServerTime().AsTime())
	c.mu.Lock()
	c.storeAgain()
	if !m.GetBehind() {
		c.confirm()
	}
	c.mu.Unlock()
	c.config.Settle(m.GetSettled())
}

// watchHint tells the operator what helps; empty: waiting does.
func watchHint(err error) string {
	refused := (*RefusedError)(nil)
	if !errors.As(err, &refused) {
		return ""
	}
	switch refused.Reason {
	case "agent_unknown":
		return "the control plane does not know this agent: to enrol it anew, stop it, remove identity/ from its state folder and start it with a new token"
	case "token_audience":
		return "the control plane has another public URL than the one configured here"
	case "token_expired", "token_not_yet_valid":
		return "the clocks differ; the agent corrects for it with the next attempt"
	default:
		return ""
	}
}
