package rpc

import (
	"context"

	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// way is how one kind of resource goes back.
type way[T any] struct {
	// service and noun name its methods: RouteService, Route.
	service, noun protoreflect.Name
	// back decides what makes it again what it was; a nil state: there is, or was, none.
	back func(ctx context.Context, v readmodel.View, now, was *T) (command.Plan, error)
	// within is what the name is unique in, besides the kind; nil: nothing.
	within func(T) string
	// rename lets a step free the name for another; nil: it can't.
	rename func(*T, string)
}

// step is one resource on its way back.
type step struct {
	turn
	permission string
	// ends tells that it was not there.
	ends bool
	// owns and wants are its names, now and as it was, with what they are unique in.
	owns, wants string
	back        func(context.Context, *command.Runner, command.Origin) error
	// park is nil where there is nothing to call otherwise.
	park func(context.Context, *command.Runner, command.Origin) error
}

// revertible refuses one resource that can't go back to a version.
func (s story[T, P]) revertible(ctx context.Context, v readmodel.View, version int64, id uuid.UUID) error {
	if s.way == nil {
		return notConfiguration()
	}
	v.AsOf = version
	_, err := s.table.Find(ctx, v, id)
	return err
}

func (s story[T, P]) steps(ctx context.Context, v readmodel.View, span readmodel.Span) ([]step, error) {
	if s.way == nil {
		return nil, nil
	}
	var steps []step
	for more := true; more && len(steps) < span.Limit; {
		var pairs []readmodel.Pair[T]
		var err error
		if pairs, more, err = s.table.Between(ctx, v, span); err != nil {
			return nil, err
		}
		for _, pair := range pairs {
			steps, span.After = append(steps, s.toStep(pair)), pair.ID
		}
	}
	return steps, nil
}

// toStep leads from what is now, the pair's later state, to the earlier one.
func (s story[T, P]) toStep(pair readmodel.Pair[T]) step {
	made := step{turn: s.toTurn(pair), ends: pair.Before == nil}
	verb := protoreflect.Name("Update")
	switch {
	case pair.Before == nil:
		verb = "Delete"
	case pair.After == nil:
		verb = "Create"
	}
	made.permission = declared(s.way.service, verb+s.way.noun)
	if pair.Before != nil {
		made.wants = s.unique(*pair.Before)
	}
	if pair.After != nil {
		made.owns = s.unique(*pair.After)
	}
	made.back = s.committing(pair.ID, func(ctx context.Context, v readmodel.View, now *T) (command.Plan, error) {
		if now == nil && pair.Before == nil {
			return command.Plan{}, nil // it ended with something else
		}
		return s.way.back(ctx, v, now, pair.Before)
	})
	if s.way.rename != nil && pair.After != nil {
		made.park = s.committing(pair.ID, func(ctx context.Context, v readmodel.View, now *T) (command.Plan, error) {
			if now == nil {
				return command.Plan{}, nil
			}
			renamed := *now
			s.way.rename(&renamed, parked(s.label(*now), pair.ID))
			return s.way.back(ctx, v, now, &renamed)
		})
	}
	return made
}

// committing runs a decision about the resource as the steps before left it.
func (s story[T, P]) committing(id uuid.UUID, decide func(context.Context, readmodel.View, *T) (command.Plan, error)) func(context.Context, *command.Runner, command.Origin) error {
	return func(ctx context.Context, runner *command.Runner, origin command.Origin) error {
		_, err := runner.Commit(ctx, origin, func(ctx context.Context, v readmodel.View) (command.Plan, error) {
			now, err := s.now(ctx, v, id)
			if err != nil {
				return command.Plan{}, err
			}
			return decide(ctx, v, now)
		})
		return err
	}
}

// now is the resource after the steps so far; nil: there is none.
func (s story[T, P]) now(ctx context.Context, v readmodel.View, id uuid.UUID) (*T, error) {
	state, err := s.table.Find(ctx, v, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &state, nil
}

func (s story[T, P]) unique(state T) string {
	if s.way.within == nil {
		return s.kind() + "/" + s.label(state)
	}
	return s.kind() + "/" + s.way.within(state) + "/" + s.label(state)
}

// parked is a name that nothing else has, for the moment between two steps.
func parked(name string, id uuid.UUID) string {
	const most, suffix = 63, 13
	return name[:min(len(name), most-suffix)] + "-" + id.String()[24:]
}
