package control

import (
	"context"
	"time"

	"connectrpc.com/connect"

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

// report says what is served after every change and every few seconds.
func (c *Client) report(ctx context.Context) {
	every := time.NewTicker(c.config.Timing.Report)
	defer every.Stop()
	failing := false
	for {
		err := c.reportOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			c.config.Log.Warn("reports don't arrive, trying again", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		case <-c.due:
		}
	}
}

func (c *Client) reportOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	answer, err := c.service.Report(ctx, connect.NewRequest(c.reportRequest()))
	if err != nil {
		return err
	}
	c.transport.clock.learn(answer.Msg.GetServerTime().AsTime())
	return nil
}

func (c *Client) reportRequest() *agentv1.ReportRequest {
	bytes, records := c.config.Spooled()
	m := &agentv1.ReportRequest{
		Outcome:      agentv1.ReportRequest_OUTCOME_APPLIED,
		Tails:        c.config.Tails(),
		Version:      c.config.Version,
		SpoolBytes:   bytes,
		SpoolRecords: records,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m.Position = c.position()
	if len(c.reasons) > 0 {
		m.Outcome, m.Reasons = agentv1.ReportRequest_OUTCOME_REJECTED, c.reasons
	} else if c.serving == nil {
		m.Outcome = agentv1.ReportRequest_OUTCOME_UNSPECIFIED
	}
	return m
}
