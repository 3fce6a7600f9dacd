package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// pollMargin is how much longer than its wait a poll may take.
const pollMargin = 15 * time.Second

// errPolled ends a while of polling: a stream may get through by now.
var errPolled = errors.New("polled for a while")

// follow is one stream. Where nothing of it arrives though calls do, something between
// holds answers back until they end: then it is polls for a while.
func (c *Client) follow(ctx context.Context) error {
	if time.Now().After(c.polling) {
		began := time.Now()
		err := c.watchOnce(ctx)
		if !c.heldBack(err, time.Since(began)) {
			return err
		}
		if probe := c.pollOnce(ctx, 0); probe != nil {
			c.old.Store(connect.CodeOf(probe) == connect.CodeUnimplemented)
			return fmt.Errorf("%w; a call instead of the stream: %w", err, probe)
		}
		c.config.Log.Warn("policy streams don't get through, polling instead", "error", err,
			"hint", "a proxy between agent and control plane holds answers back until they end: turn its buffering off")
		c.polling = time.Now().Add(jitter(c.config.Timing.Polling))
	}
	for time.Now().Before(c.polling) {
		if err := c.pollOnce(ctx, c.config.Timing.Wait); err != nil {
			if away := (*goAwayError)(nil); !errors.As(err, &away) {
				c.polling = time.Time{}
			}
			return err
		}
	}
	return errPolled
}

// heldBack tells whether a stream brought nothing, or nothing after its beginning. One
// that went silent later may have lost its connection.
func (c *Client) heldBack(err error, lasted time.Duration) bool {
	return errors.Is(err, errSilence) || errors.Is(err, errWatchdog) && lasted < 2*c.config.Timing.Watchdog
}

// silence is how long a stream may bring nothing at first. A control plane that
// knows no polls greets nobody: there a compile may take its time.
func (c *Client) silence() time.Duration {
	if c.old.Load() {
		return c.config.Timing.Watchdog
	}
	return c.config.Timing.Silence
}

// pollOnce takes what one poll brings as if it were a stream that ends.
func (c *Client) pollOnce(ctx context.Context, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait+pollMargin)
	defer cancel()
	before := c.revoked.Load()
	answer, err := c.service.Poll(ctx, connect.NewRequest(&agentv1.PollRequest{Watch: c.watchRequest(), WaitMs: int32(wait.Milliseconds())}))
	if err != nil {
		return err
	}
	c.heard(before)
	reception := &reception{client: c}
	for _, m := range answer.Msg.GetMessages() {
		if err := reception.take(m); err != nil {
			return err
		}
	}
	return nil
}
