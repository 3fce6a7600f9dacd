package rpc

import (
	"context"
	"fmt"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// kind is what the standard methods (AIP-131 to 135) of a resource have in common:
// T is its state, P its message.
type kind[T any, P resource] struct {
	table   *readmodel.Table[T]
	convert func(T) P
	apply   func(T, eventlog.Event) (T, error)
	// version of the log at its last change.
	version func(T) int64
	// project is whose it is: there a role on that project reaches it. nil: only a role
	// in the organization does.
	project func(T) uuid.UUID
	// projectColumn of the table has the same.
	projectColumn string
	// settable are the message's fields that an update can change.
	settable []protoreflect.Name
	// beside returns what completes a message from other tables of the view. nil: the
	// state says it all.
	beside func(context.Context, readmodel.View) (func(P), error)
}

// resource is a message with an id of its own.
type resource interface {
	proto.Message
	GetId() string
}

// identified is a request that names one resource.
type identified interface {
	mutating
	GetId() string
}

// completing is beside, or nothing.
func (k kind[T, P]) completing(ctx context.Context, v readmodel.View) (func(P), error) {
	if k.beside == nil {
		return func(P) {}, nil
	}
	return k.beside(ctx, v)
}

// create runs a decision that begins a resource.
func create[T any, P resource, A any, M message[A]](
	ctx context.Context, runner *command.Runner, k kind[T, P], req connect.AnyRequest,
	decide func(context.Context, readmodel.View) ([]eventlog.Change, error), wrap func(P) M,
) (*connect.Response[A], error) {
	reach, err := reachOf(ctx, req.Any())
	if err != nil {
		return nil, err
	}
	return mutateWithin(ctx, runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[M], err error) {
		d.Changes, err = decide(ctx, v)
		d.Answer = func(recorded []eventlog.Event) (M, error) {
			state, err := created(recorded, k.apply)
			if err == nil && !k.within(reach, state) {
				err = fmt.Errorf("%T was made beyond the caller's reach", state)
			}
			return wrap(k.convert(state)), err
		}
		return d, err
	})
}

// get answers with one resource, now or as of the past.
func get[T any, P resource, A any](
	ctx context.Context, store *readmodel.Store, k kind[T, P], request interface {
		dated
		GetId() string
	}, wrap func(P) *A,
) (*connect.Response[A], error) {
	id, err := parseID("id", request.GetId())
	if err != nil {
		return nil, err
	}
	reach, err := reachOf(ctx, request)
	if err != nil {
		return nil, err
	}
	return readWithin(ctx, store, request, func(v readmodel.View) (*A, error) {
		state, err := k.find(ctx, v, reach, id)
		if err != nil {
			return nil, err
		}
		complete, err := k.completing(ctx, v)
		if err != nil {
			return nil, err
		}
		message := k.convert(state)
		complete(message)
		return wrap(message), nil
	})
}

// page answers with a part of a list; name says what is listed, with what else
// restricts it.
func page[T any, P resource, A any](
	ctx context.Context, store *readmodel.Store, k kind[T, P], name string, request interface {
		dated
		listed
	}, wrap func([]P, string) *A, matches ...readmodel.Match,
) (*connect.Response[A], error) {
	reach, err := reachOf(ctx, request)
	if err != nil {
		return nil, err
	}
	if matches, err = k.visible(reach, matches); err != nil {
		return nil, err
	}
	return readWithin(ctx, store, request, func(v readmodel.View) (*A, error) {
		found, next, err := list(ctx, v, k.table, k.convert, name, request, matches...)
		if err != nil {
			return nil, err
		}
		complete, err := k.completing(ctx, v)
		if err != nil {
			return nil, err
		}
		for _, message := range found {
			complete(message)
		}
		return wrap(found, next), nil
	})
}

// update runs a decision about the state as it is and the message as it is wanted.
func update[T any, P resource, A any, M message[A]](
	ctx context.Context, runner *command.Runner, k kind[T, P], req connect.AnyRequest, field string, sent P, mask *fieldmaskpb.FieldMask,
	decide func(ctx context.Context, v readmodel.View, was T, wanted P) ([]eventlog.Change, error), wrap func(P) M,
) (*connect.Response[A], error) {
	id, err := parseID(field+".id", sent.GetId())
	if err != nil {
		return nil, err
	}
	reach, err := reachOf(ctx, req.Any())
	if err != nil {
		return nil, err
	}
	return mutateWithin(ctx, runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[M], err error) {
		was, err := k.find(ctx, v, reach, id)
		if err != nil {
			return d, err
		}
		d.Version = k.version(was)
		current := k.convert(was)
		if err := keepsTheRest(field, current, sent, mask, k.settable); err != nil {
			return d, err
		}
		wanted, err := merge(current, sent, mask, k.settable...)
		if err != nil {
			return d, err
		}
		complete, err := k.completing(ctx, v)
		if err != nil {
			return d, err
		}
		d.Changes, err = decide(ctx, v, was, wanted)
		d.Answer = func(recorded []eventlog.Event) (M, error) {
			after, err := changed(was, about(id, recorded), k.apply)
			message := k.convert(after)
			complete(message)
			return wrap(message), err
		}
		return d, err
	})
}

// act runs a decision about one resource, which goes on to exist.
func act[T any, P resource, A any, M message[A]](
	ctx context.Context, runner *command.Runner, k kind[T, P], req connect.AnyRequest, request identified,
	decide func(ctx context.Context, v readmodel.View, was T) ([]eventlog.Change, error), wrap func(P) M,
) (*connect.Response[A], error) {
	return change(ctx, runner, k, req, request, decide, func(was T, recorded []eventlog.Event) (M, error) {
		after, err := changed(was, recorded, k.apply)
		return wrap(k.convert(after)), err
	})
}

// archive runs a decision that ends one resource.
func archive[T any, P resource, A any, M message[A]](
	ctx context.Context, runner *command.Runner, k kind[T, P], req connect.AnyRequest, request identified,
	decide func(ctx context.Context, v readmodel.View, was T) ([]eventlog.Change, error),
) (*connect.Response[A], error) {
	return change(ctx, runner, k, req, request, decide, func(T, []eventlog.Event) (M, error) { return new(A), nil })
}

func change[T any, P resource, A any, M message[A]](
	ctx context.Context, runner *command.Runner, k kind[T, P], req connect.AnyRequest, request identified,
	decide func(context.Context, readmodel.View, T) ([]eventlog.Change, error), answer func(T, []eventlog.Event) (M, error),
) (*connect.Response[A], error) {
	id, err := parseID("id", request.GetId())
	if err != nil {
		return nil, err
	}
	reach, err := reachOf(ctx, req.Any())
	if err != nil {
		return nil, err
	}
	return mutateWithin(ctx, runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[M], err error) {
		was, err := k.find(ctx, v, reach, id)
		if err != nil {
			return d, err
		}
		d.Version = k.version(was)
		d.Changes, err = decide(ctx, v, was)
		d.Answer = func(recorded []eventlog.Event) (M, error) { return answer(was, recorded) }
		return d, err
	})
}
