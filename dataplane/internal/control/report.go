package control

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const reportTimeout = 10 * time.Second

// reportNow asks for a report soon; several wishes are one.
func (c *Client) reportNow() {
	select {
	case c.due <- struct{}{}:
	default:
	}
}

// report says what is served after every change and every few seconds. While the
// agent is revoked it says nothing: the stream finds out should that ever end.
func (c *Client) report(ctx context.Context) {
	every := time.NewTicker(c.config.Timing.Report)
	defer every.Stop()
	failing := false
	for {
		if c.Revoked() == nil {
			err := c.reportOnce(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil && !c.noteRevoked(err) && !failing {
				c.config.Log.Warn("reports don't arrive, trying again", "error", err)
			}
			failing = err != nil
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		case <-c.due:
			c.spread(ctx)
		}
	}
}

// spread lets a fleet that changed at one instant report over a while: the control plane
// has the change to send meanwhile.
func (c *Client) spread(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(rand.N(c.config.Timing.Spread)):
	}
}

// Report says now what is served and what the spool has; once the agent is enrolled.
// Errors are those of the call.
func (c *Client) Report(ctx context.Context) error { return c.reportOnce(ctx) }

func (c *Client) reportOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	request := c.reportRequest()
	answer, err := c.service.Report(ctx, connect.NewRequest(request))
	if err != nil {
		c.tellAgain(request)
		return err
	}
	c.transport.clock.learn(answer.Msg.GetServerTime().AsTime())
	return nil
}

func (c *Client) reportRequest() *agentv1.ReportRequest {
	spooled, served := c.config.Spooled(), c.config.Served()
	m := &agentv1.ReportRequest{
		Outcome:       agentv1.ReportRequest_OUTCOME_APPLIED,
		Tails:         c.config.Tails(),
		Version:       c.config.Version,
		Build:         c.config.Build,
		Platform:      c.config.Platform,
		SpoolBytes:    spooled.Bytes,
		SpoolRecords:  spooled.Records,
		SpoolOldestMs: spooled.Oldest.Milliseconds(),
		Requests:      served.Requests,
		Failures:      served.Failures,
	}
	credentials, targets := c.config.Credentials(), c.config.Targets()
	c.mu.Lock()
	defer c.mu.Unlock()
	m.Position, m.PoliciesRejected = c.position(), c.refusals
	m.Credentials = c.toldCredentials.next(credentials, time.Now(), alikeCredentials)
	m.Targets = c.toldTargets.next(targets, time.Now(), alikeTargets)
	m.Capability, m.IgnoredKinds = Capability, c.ignored
	if oldest := c.slots.oldest(); oldest != nil {
		m.OldestStored = &agentv1.PolicyPosition{Epoch: oldest.GetEpoch(), Version: oldest.GetVersion()}
	}
	if !c.inForce.IsZero() {
		m.RevocationsInForceMs = time.Since(c.inForce).Milliseconds()
	}
	reasons := c.reasons
	if len(reasons) == 0 {
		reasons = c.untold // the stream that they were about ended before they were told
	}
	c.untold = nil
	if c.unpinned {
		reasons = append(slices.Clone(reasons), "its signing keys are not stored")
	}
	if len(reasons) > 0 {
		m.Outcome, m.Reasons = agentv1.ReportRequest_OUTCOME_REJECTED, reasons
	} else if c.serving == nil {
		m.Outcome = agentv1.ReportRequest_OUTCOME_UNSPECIFIED
	}
	return m
}

// tellAgain keeps the reasons of a report that did not arrive for the next one,
// unless a policy was served or refused since.
func (c *Client) tellAgain(m *agentv1.ReportRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.GetCredentials() != nil {
		c.toldCredentials = told[agentv1.CredentialReport]{}
	}
	if m.GetTargets() != nil {
		c.toldTargets = told[agentv1.TargetReport]{}
	}
	if c.untold == nil && proto.Equal(m.GetPosition(), c.position()) {
		c.untold = m.GetReasons()
	}
}
