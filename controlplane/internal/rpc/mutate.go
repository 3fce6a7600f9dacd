package rpc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

var errNoCaller = errors.New("no principal: the guard does not stand before this handler")

// mutating is a request that changes something.
type mutating interface {
	proto.Message
	GetMutation() *adminv1.Mutation
}

// message is a pointer to a generated struct.
type message[T any] interface {
	*T
	proto.Message
}

// mutate runs a request that is about the whole organization as a command there.
func mutate[A any, M message[A]](
	ctx context.Context, runner *command.Runner, req connect.AnyRequest,
	decide func(context.Context, readmodel.View) (command.Decision[M], error),
) (*connect.Response[A], error) {
	if err := everywhere(ctx, req.Any()); err != nil {
		return nil, err
	}
	return mutateWithin(ctx, runner, req, decide)
}

// mutateWithin is mutate for who sees to the caller's reach itself.
func mutateWithin[A any, M message[A]](
	ctx context.Context, runner *command.Runner, req connect.AnyRequest,
	decide func(context.Context, readmodel.View) (command.Decision[M], error),
) (*connect.Response[A], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	return mutateIn(ctx, runner, caller.OrganizationID, req, decide)
}

func mutateIn[A any, M message[A]](
	ctx context.Context, runner *command.Runner, organization uuid.UUID, req connect.AnyRequest,
	decide func(context.Context, readmodel.View) (command.Decision[M], error),
) (*connect.Response[A], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	request, ok := req.Any().(mutating)
	if !ok {
		return nil, fmt.Errorf("%s: %T has no mutation", req.Spec().Procedure, req.Any())
	}
	etag, err := etagOf(request)
	if err != nil {
		return nil, err
	}
	answer, err := command.Run(ctx, runner, command.Call{
		Origin: command.Origin{
			Organization: organization, Actor: caller.Actor(), RequestID: request.GetMutation().GetRequestId(),
			Source: sourceOf(ctx), Operator: caller.Kind == authn.Operator,
		},
		Procedure: req.Spec().Procedure, Request: request, ValidateOnly: request.GetMutation().GetValidateOnly(), ETag: etag,
	}, decide)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse((*A)(answer)), nil
}

// etagOf is what the mutation says, or the resource that was sent back.
func etagOf(request mutating) (string, error) {
	said := request.GetMutation().GetEtag()
	var conflict error
	request.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Message() == nil || field.IsList() || field.IsMap() || field.Name() == "mutation" {
			return true
		}
		own := field.Message().Fields().ByName("etag")
		if own == nil || !value.Message().Has(own) {
			return true
		}
		switch read := value.Message().Get(own).String(); said {
		case "", read:
			said = read
		default:
			conflict = fault.Field("mutation.etag", "it is %q, but %s was read with %q", said, field.Name(), read)
		}
		return true
	})
	return said, conflict
}

// read runs a query in the caller's organization.
func read[A any](ctx context.Context, store *readmodel.Store, query func(readmodel.View) (*A, error)) (*connect.Response[A], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	var answer *A
	err := store.Read(ctx, caller.OrganizationID, func(v readmodel.View) (err error) {
		answer, err = query(v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(answer), nil
}

// created is what a recorded event made.
func created[T any](recorded []eventlog.Event, apply func(T, eventlog.Event) (T, error)) (T, error) {
	var none T
	return changed(none, recorded, apply)
}

// changed is a state after the recorded events; there may be none.
func changed[T any](state T, recorded []eventlog.Event, apply func(T, eventlog.Event) (T, error)) (T, error) {
	for _, e := range recorded {
		var err error
		if state, err = apply(state, e); err != nil {
			return state, err
		}
	}
	return state, nil
}

// about are the recorded events of one subject.
func about(id uuid.UUID, recorded []eventlog.Event) []eventlog.Event {
	return slices.DeleteFunc(slices.Clone(recorded), func(e eventlog.Event) bool { return e.Subject != id })
}

// emptyAnswer says that it was done.
func emptyAnswer[A any](_ []eventlog.Event) (*A, error) { return new(A), nil }

// newID is in the order of time, so that indexes grow at one end.
func newID() (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("make id: %w", err)
	}
	return id, nil
}

func parseID(field, text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, fault.Field(field, "want a UUID")
	}
	return id, nil
}

func parseIDs(field string, texts []string) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	for i, text := range texts {
		id, err := parseID(fmt.Sprintf("%s[%d]", field, i), text)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// named asks for the live row with a name.
func named(name string) readmodel.Match { return readmodel.Match{Column: "name", Value: name} }
