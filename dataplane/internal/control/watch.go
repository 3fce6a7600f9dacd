package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// steady is how long a stream must last for its end to be met with a quick retry.
const steady = 5 * time.Second

var (
	errGoAway   = errors.New("the control plane sent the agent away")
	errWatchdog = errors.New("nothing came for too long")
)

// watch keeps one stream open until ctx ends.
func (c *Client) watch(ctx context.Context) {
	retry, revoked := c.newBackoff(), c.newRevokedBackoff()
	said := ""
	for {
		began := time.Now()
		err := c.watchOnce(ctx)
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
		if time.Since(began) > steady && !errors.Is(err, errUntrusted) || errors.Is(err, errGoAway) {
			retry.reset()
			said = ""
		}
		if reason := err.Error(); reason != said {
			c.config.Log.Warn("policy stream ended, trying again", "error", err, "hint", watchHint(err))
			said = reason
		}
		c.transport.base.CloseIdleConnections() // a dead connection would be used again
		if !retry.wait(ctx) {
			return
		}
	}
}

func (c *Client) watchOnce(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(c.config.Timing.Watchdog, func() { cancel(errWatchdog) })
	defer watchdog.Stop()
	ctx = withTouch(ctx, func() { watchdog.Reset(c.config.Timing.Watchdog) })

	before := c.revoked.Load()
	stream, err := c.service.Watch(ctx, connect.NewRequest(c.watchRequest()))
	if err != nil {
		return c.streamError(ctx, err)
	}
	defer stream.Close()
	for stream.Receive() {
		c.heard(before)
		if err := c.handle(stream.Msg()); err != nil {
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
	return &agentv1.WatchRequest{Have: c.position(), RejectedRoot: c.rejected, Capability: Capability}
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

// handle returns an error where the stream should end.
func (c *Client) handle(m *agentv1.WatchResponse) error {
	switch m := m.GetMessage().(type) {
	case *agentv1.WatchResponse_Revocations:
		return c.applyRevocations(m.Revocations)
	case *agentv1.WatchResponse_Snapshot:
		if err := c.applySnapshot(m.Snapshot); errors.Is(err, errUntrusted) {
			return err
		}
		return nil
	case *agentv1.WatchResponse_Heartbeat:
		c.heartbeat(m.Heartbeat)
		return nil
	case *agentv1.WatchResponse_Ask:
		c.take(m.Ask)
		return nil
	case *agentv1.WatchResponse_GoAway:
		return fmt.Errorf("%w: %s", errGoAway, m.GoAway.GetReason())
	default:
		return nil // a kind of message that later control planes know
	}
}

func (c *Client) heartbeat(m *agentv1.Heartbeat) {
	c.transport.clock.learn(m.GetServerTime().AsTime())
	c.mu.Lock()
	c.confirm()
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
