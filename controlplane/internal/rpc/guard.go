package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/authz"
	"github.com/weirhq/weir/controlplane/internal/wire"
)

var _ connect.Interceptor = (*guard)(nil)

// guard stands before every RPC: it finds out who calls, whether they may, and
// whether the request is well-formed; behind it, faults become wire codes, and
// every call one line of log without its content.
type guard struct {
	authenticator Authenticator
	logger        *slog.Logger
}

func (g *guard) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (res connect.AnyResponse, err error) {
		began := time.Now()
		var caller authn.Principal
		defer func() {
			err = g.finish(ctx, req.Spec(), caller, began, recovered(recover(), err))
			if err != nil {
				res = nil
			}
		}()
		caller, err = g.admit(ctx, req.Spec(), req.Header())
		if err != nil {
			return nil, err
		}
		if err := validate(req.Any()); err != nil {
			return nil, err
		}
		return next(authn.With(ctx, caller), req)
	}
}

func (g *guard) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) (err error) {
		began := time.Now()
		var caller authn.Principal
		defer func() {
			err = g.finish(ctx, conn.Spec(), caller, began, recovered(recover(), err))
		}()
		caller, err = g.admit(ctx, conn.Spec(), conn.RequestHeader())
		if err != nil {
			return err
		}
		return next(authn.With(ctx, caller), validatingConn{conn})
	}
}

// WrapStreamingClient implements connect.Interceptor; the guard stands before servers only.
func (g *guard) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

type validatingConn struct{ connect.StreamingHandlerConn }

func (c validatingConn) Receive(message any) error {
	if err := c.StreamingHandlerConn.Receive(message); err != nil {
		return err
	}
	return validate(message)
}

func (g *guard) admit(ctx context.Context, spec connect.Spec, header http.Header) (authn.Principal, error) {
	method, ok := spec.Schema.(protoreflect.MethodDescriptor)
	if !ok || authz.Of(method) == "" {
		return authn.Principal{}, fmt.Errorf("%s declares no permission", spec.Procedure)
	}
	permission := authz.Of(method)
	if permission == authz.Public {
		return authn.Principal{}, nil
	}
	caller, err := g.authenticator.Authenticate(ctx, header)
	if err != nil {
		return authn.Principal{}, err
	}
	return caller, authz.Check(caller, permission)
}

func (g *guard) finish(ctx context.Context, spec connect.Spec, caller authn.Principal, began time.Time, err error) error {
	attributes := []any{"procedure", spec.Procedure, "duration_us", time.Since(began).Microseconds()}
	if caller.Kind != "" {
		attributes = append(attributes, "actor", caller.Actor(), "organization_id", caller.OrganizationID)
	}
	if err == nil {
		g.logger.InfoContext(ctx, "rpc", append(attributes, "code", "ok")...)
		return nil
	}
	shown := wire.Error(ctx, g.logger, err)
	g.logger.InfoContext(ctx, "rpc", append(attributes, "code", shown.Code().String())...)
	return shown
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
