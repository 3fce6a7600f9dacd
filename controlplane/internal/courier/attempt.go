package courier

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/weirhq/weir/controlplane/internal/alert"
	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/webhook"
)

const (
	// firstWait is what the second attempt waits for, on average; each further one waits
	// for twice as long, up to longestWait.
	firstWait   = 5 * time.Second
	longestWait = 2 * time.Hour
)

// attempt sends a message and notes what came of it; accepted: the receiver took it. An
// error is this server's own; the delivery is attempted again all the same.
func (c *Courier) attempt(ctx context.Context, l lane, t taking) (accepted bool, err error) {
	result, sent, err := c.send(ctx, l, t)
	if err != nil {
		err = fmt.Errorf("attempt delivery %s of organization %s: %w", t.id, l.organization, err)
	}
	now := c.now()
	done := outcome{result: result, status: sent.Status, duration: sent.Duration, state: alert.Failed, at: now}
	switch {
	case result == alert.Result(webhook.Accepted):
		done.state = alert.Accepted
	case again(result, sent.Status):
		wait := max(wait(t.number, rand.Float64()), sent.RetryAfter) //nolint:gosec // spreads attempts, hides nothing
		if now.Before(t.expires) {
			// Once more at its end, where the wait is longer.
			done.state, done.due = alert.Pending, now.Add(min(wait, t.expires.Sub(now)))
		}
	}
	c.metrics.attempts.WithLabelValues(resultNames[result]).Inc()
	return done.state == alert.Accepted, errors.Join(err, c.table.note(ctx, l, t, done))
}

// send is what comes of one attempt; an error is this server's own.
func (c *Courier) send(ctx context.Context, l lane, t taking) (alert.Result, webhook.Result, error) {
	if t.url == "" {
		return alert.ChannelDeleted, webhook.Result{}, nil
	}
	secret, err := c.secrets.Open(ctx, l.organization, l.channel, alertchannel.SecretPurpose)
	if fault.Is(err, fault.NotFound) {
		return alert.SecretMissing, webhook.Result{}, nil
	}
	if err != nil {
		return alert.Unknown, webhook.Result{}, err
	}
	key, err := alertchannel.ParseSecret(secret.Reveal())
	if err != nil {
		return alert.Unknown, webhook.Result{}, err
	}
	delivery := alert.Delivery{ID: t.id}
	sent, err := c.sender.Send(ctx, t.url, key, webhook.Message{ID: delivery.MessageID(), Sent: c.now(), Body: []byte(t.body)})
	return alert.Result(sent.Delivery), sent, err
}

// again tells whether another attempt may end otherwise without anybody doing anything, or
// with the secret that is missing.
func again(r alert.Result, status int) bool {
	switch r {
	case alert.Result(webhook.Refused):
		return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
	case alert.Unknown, alert.Result(webhook.Unreachable), alert.Result(webhook.TimedOut), alert.Result(webhook.TLSFailed), alert.SecretMissing:
		return true
	}
	return false
}

// wait after attempt number n, from half to one and a half of what it is on average, by a
// random number of [0, 1).
func wait(n int32, random float64) time.Duration {
	mean := longestWait
	if n < 12 {
		mean = min(longestWait, firstWait<<(n-1))
	}
	return mean/2 + time.Duration(random*float64(mean))
}
