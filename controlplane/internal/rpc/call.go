package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/requestid"
	"github.com/weirhq/weir/controlplane/internal/wire"
)

// call is one RPC on its way through the guard: it ends in one line of log.
type call struct {
	procedure string
	caller    authn.Principal
	source    eventlog.Source
	// deadline bounds what is written to the caller.
	deadline *http.ResponseController
	began    time.Time
	logged   bool
}

type callKey struct{}

func withCall(ctx context.Context, c *call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

func callFrom(ctx context.Context) (*call, bool) {
	c, ok := ctx.Value(callKey{}).(*call)
	return c, ok
}

// sendTimeout bounds one message of a stream to a caller that does not read.
const sendTimeout = time.Minute

// bound gives the caller of a stream so long to take what is sent.
func (c *call) bound(send func() error) error { return c.boundBy(sendTimeout, send) }

func (c *call) boundBy(most time.Duration, send func() error) error {
	_ = c.deadline.SetWriteDeadline(time.Now().Add(most)) // not every writer has deadlines
	defer func() { _ = c.deadline.SetWriteDeadline(time.Time{}) }()
	return send()
}

// sourceOf is where the call behind a context comes from.
func sourceOf(ctx context.Context) eventlog.Source {
	if c, ok := callFrom(ctx); ok {
		return c.source
	}
	return eventlog.Source{}
}

// finish logs the call, without its content, and turns its error into what the
// caller sees.
func (c *call) finish(ctx context.Context, logger *slog.Logger, err error) error {
	if err == nil {
		c.log(ctx, logger, "ok")
		return nil
	}
	shown := wire.Error(ctx, logger, err)
	c.log(ctx, logger, shown.Code().String())
	return shown
}

func (c *call) log(ctx context.Context, logger *slog.Logger, code string) {
	c.logged = true
	attributes := []any{"procedure", c.procedure, "duration_us", time.Since(c.began).Microseconds()}
	if c.caller.Kind != "" {
		attributes = append(attributes, "actor", c.caller.Actor(), "organization_id", c.caller.OrganizationID)
	}
	if id := requestid.From(ctx); id != "" {
		attributes = append(attributes, "request_id", id)
	}
	logger.InfoContext(ctx, "rpc", append(attributes, "code", code)...)
}

// recorded starts the record of a call before anything can refuse it, and logs
// those that end before the guard: their body broke off, or had no end.
func recorded(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{procedure: clip(r.URL.Path), deadline: http.NewResponseController(w), began: time.Now()}
		next.ServeHTTP(w, r.WithContext(withCall(r.Context(), c)))
		if !c.logged {
			c.log(r.Context(), logger, "unread")
		}
	})
}

// recovered turns a panic into an error, which the caller sees as internal.
func recovered(panicked any, err error) error {
	if panicked == nil {
		return err
	}
	if aborted, ok := panicked.(error); ok && errors.Is(aborted, http.ErrAbortHandler) {
		panic(panicked) //nolint:forbidigo // net/http ends the connection on this very value, quietly
	}
	return fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
}
