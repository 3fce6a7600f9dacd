package rpc

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/weirhq/weir/controlplane/internal/authn"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

type always authn.Principal

func (a always) Authenticate(context.Context, http.Header) (authn.Principal, error) {
	return authn.Principal(a), nil
}

func (a always) Recheck(context.Context, http.Header) (authn.Principal, error) {
	return authn.Principal(a), nil
}

var owner = always{Kind: authn.Member, Role: eventv1.Role_ROLE_OWNER}

// serve puts one handler behind the guard, with the options of an RPC.
func serve(t *testing.T, schema protoreflect.MethodDescriptor, handle func() error) (func() error, *bytes.Buffer) {
	t.Helper()
	var logs bytes.Buffer
	g := &guard{authenticator: owner, limits: NewLimits(Rate{}, Rate{}, time.Now), logger: slog.New(slog.NewTextHandler(&logs, nil))}
	handler := g.WrapUnary(func(context.Context, connect.AnyRequest) (connect.AnyResponse, error) {
		return connect.NewResponse(&emptypb.Empty{}), handle()
	})
	return func() error {
		sent := request{connect.NewRequest(&emptypb.Empty{}), schema}
		ctx, err := g.gate(withCall(t.Context(), &call{began: time.Now()}), sent.Spec(), connect.Peer{}, nil)
		if err == nil {
			_, err = handler(ctx, sent)
		}
		return err
	}, &logs
}

// request has the schema that a server would give it.
type request struct {
	*connect.Request[emptypb.Empty]
	schema protoreflect.MethodDescriptor
}

func (r request) Spec() connect.Spec {
	return connect.Spec{Schema: r.schema, Procedure: string(r.schema.FullName())}
}

func TestGuard(t *testing.T) {
	declared := adminv1.File_weir_admin_v1_session_proto.Services().ByName("SessionService").Methods().ByName("WhoAmI")
	t.Run("serves_what_is_allowed", func(t *testing.T) {
		call, _ := serve(t, declared, func() error { return nil })
		if err := call(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("refuses_an_rpc_without_permission", func(t *testing.T) {
		undeclared := agentv1.File_weir_agent_v1_agent_proto.Services().ByName("AgentService").Methods().ByName("Report")
		call, _ := serve(t, undeclared, func() error { t.Error("served"); return nil })
		if code := connect.CodeOf(call()); code != connect.CodeInternal {
			t.Errorf("got %s", code)
		}
	})
	t.Run("serves_nothing_that_passed_no_gate", func(t *testing.T) {
		g := &guard{authenticator: owner, limits: NewLimits(Rate{}, Rate{}, time.Now), logger: slog.New(slog.DiscardHandler)}
		handler := g.WrapUnary(func(context.Context, connect.AnyRequest) (connect.AnyResponse, error) {
			t.Error("served")
			return connect.NewResponse(&emptypb.Empty{}), nil
		})
		sent := request{connect.NewRequest(&emptypb.Empty{}), declared}
		for _, ctx := range []context.Context{t.Context(), withCall(t.Context(), &call{})} {
			if _, err := handler(ctx, sent); !errors.Is(err, errNoGate) {
				t.Errorf("got %v", err)
			}
		}
	})
	t.Run("a_panic_is_an_internal_error_with_a_reference", func(t *testing.T) {
		call, logs := serve(t, declared, func() error { panic("the details") })
		err := call()
		if connect.CodeOf(err) != connect.CodeInternal || strings.Contains(err.Error(), "details") {
			t.Errorf("caller sees %v", err)
		}
		_, reference, _ := strings.Cut(strings.TrimSuffix(err.Error(), ")"), "reference ")
		if len(reference) != 16 || !strings.Contains(logs.String(), reference) || !strings.Contains(logs.String(), "the details") {
			t.Errorf("reference %q, log:\n%s", reference, logs)
		}
	})
	t.Run("a_cancelled_call_is_not_our_fault", func(t *testing.T) {
		call, logs := serve(t, declared, func() error { return context.Canceled })
		if code := connect.CodeOf(call()); code != connect.CodeCanceled || strings.Contains(logs.String(), "ERROR") {
			t.Errorf("got %s, log:\n%s", code, logs)
		}
	})
}
