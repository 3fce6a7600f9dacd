package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/authz"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
)

var _ connect.Interceptor = (*guard)(nil)

var errNoGate = errors.New("the guard's gate does not stand before this RPC")

// guard stands before every RPC. Its gate, before the body is read, finds out who
// calls, whether they may, and whether too often; its interceptor, whether the
// request is well-formed. Behind it, faults become wire codes.
type guard struct {
	authenticator Authenticator
	limits        *Limits
	logger        *slog.Logger
	// proxies are trusted to say where a call comes from.
	proxies []netip.Prefix
}

func (g *guard) options() connect.HandlerOption {
	return connect.WithHandlerOptions(connect.WithRequestGate(g.gate), connect.WithInterceptors(g))
}

// gate implements connect.RequestGateFunc. Refused here, a call never reaches the
// interceptor.
func (g *guard) gate(ctx context.Context, spec connect.Spec, peer connect.Peer, header http.Header) (_ context.Context, err error) {
	c, ok := callFrom(ctx)
	if !ok {
		return ctx, errNoGate
	}
	c.procedure = spec.Procedure
	c.source = eventlog.Source{Address: authn.ClientAddress(peer.Addr, header, g.proxies), UserAgent: header.Get("User-Agent")}
	defer func() {
		if err = recovered(recover(), err); err != nil {
			err = c.finish(ctx, g.logger, err)
		}
	}()
	if c.caller, err = g.admit(ctx, spec, peer, header); err != nil {
		return ctx, err
	}
	return authn.With(context.WithValue(ctx, admittedKey{}, spec.Procedure), c.caller), nil
}

// admittedKey is where the gate leaves which procedure it let through.
type admittedKey struct{}

func (g *guard) admit(ctx context.Context, spec connect.Spec, peer connect.Peer, header http.Header) (authn.Principal, error) {
	method, ok := spec.Schema.(protoreflect.MethodDescriptor)
	if !ok || authz.Of(method) == "" {
		return authn.Principal{}, fmt.Errorf("%s declares no permission", spec.Procedure)
	}
	permission := authz.Of(method)
	if permission == authz.Public {
		return authn.Principal{}, g.limits.stranger(peer.Addr)
	}
	caller, err := g.authenticator.Authenticate(ctx, header)
	if fault.Is(err, fault.Unauthenticated) {
		if limited := g.limits.stranger(peer.Addr); limited != nil {
			return authn.Principal{}, limited
		}
	}
	if err != nil {
		return authn.Principal{}, err
	}
	if err := g.limits.principal(caller); err != nil {
		return caller, err
	}
	return caller, authz.Admit(caller, method)
}

func (g *guard) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (res connect.AnyResponse, err error) {
		c, ok := callFrom(ctx)
		if !ok || ctx.Value(admittedKey{}) != req.Spec().Procedure {
			return nil, errNoGate
		}
		defer func() {
			if err = c.finish(ctx, g.logger, recovered(recover(), err)); err != nil {
				res = nil
			}
		}()
		if err := validate(req.Any()); err != nil {
			return nil, err
		}
		return next(ctx, req)
	}
}

func (g *guard) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) (err error) {
		c, ok := callFrom(ctx)
		if !ok || ctx.Value(admittedKey{}) != conn.Spec().Procedure {
			return errNoGate
		}
		defer func() { err = c.finish(ctx, g.logger, recovered(recover(), err)) }()
		return next(ctx, validatingConn{conn})
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
