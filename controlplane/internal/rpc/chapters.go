package rpc

import (
	"context"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// turn is what one resource was at two versions; a nil form: there it was not.
type turn struct {
	kind          string
	id            uuid.UUID
	name          string
	before, after proto.Message
}

// chapter is the history of one kind of resource.
type chapter interface {
	// kind is how the API calls it.
	kind() string
	// turns are what events did to the resources that are their subjects.
	turns(ctx context.Context, v readmodel.View, events []eventlog.Event) (map[int64]turn, error)
	// between are resources that two versions do not have in the same row; more: there
	// may be others.
	between(ctx context.Context, v readmodel.View, s readmodel.Span) (found []turn, more bool, err error)
	// revertible refuses a resource that can't go back to a version, or was not there.
	revertible(ctx context.Context, v readmodel.View, version int64, id uuid.UUID) error
	// steps bring back what it was at From; none where it is not configuration.
	steps(ctx context.Context, v readmodel.View, s readmodel.Span) ([]step, error)
}

// story implements chapter: T is the state, P its message.
type story[T any, P proto.Message] struct {
	table   *readmodel.Table[T]
	convert func(T) P
	// label is the resource's name.
	label func(T) string
	// way leads back; nil: it is not configuration.
	way *way[T]
}

func (s story[T, P]) kind() string { return s.table.Kind() }

func (s story[T, P]) turns(ctx context.Context, v readmodel.View, events []eventlog.Event) (map[int64]turn, error) {
	pairs, err := s.table.Turns(ctx, v, events)
	if err != nil {
		return nil, err
	}
	turns := make(map[int64]turn, len(pairs))
	for version, pair := range pairs {
		turns[version] = s.toTurn(pair)
	}
	return turns, nil
}

func (s story[T, P]) between(ctx context.Context, v readmodel.View, span readmodel.Span) (found []turn, more bool, err error) {
	pairs, more, err := s.table.Between(ctx, v, span)
	return convertAll(pairs, s.toTurn), more, err
}

func (s story[T, P]) toTurn(pair readmodel.Pair[T]) turn {
	t := turn{kind: s.kind(), id: pair.ID}
	if pair.Before != nil {
		t.name, t.before = s.label(*pair.Before), s.convert(*pair.Before)
	}
	if pair.After != nil {
		t.name, t.after = s.label(*pair.After), s.convert(*pair.After)
	}
	return t
}
