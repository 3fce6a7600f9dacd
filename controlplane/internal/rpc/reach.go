package rpc

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/authz"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// reachOf is where the caller may do what the request asks. The request's own type
// says which permission it needs, so that nobody can forget to.
func reachOf(ctx context.Context, request any) (authz.Reach, error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return authz.Reach{}, errNoCaller
	}
	message, ok := request.(proto.Message)
	if !ok {
		return authz.Reach{}, fmt.Errorf("%T is no message", request)
	}
	permission := authz.OfRequest(message)
	return authz.ReachOf(caller, permission), authz.Check(caller, permission)
}

// everywhere refuses who may do what the request asks on single projects only.
func everywhere(ctx context.Context, request any) error {
	reach, err := reachOf(ctx, request)
	if err == nil && !reach.Everywhere {
		return fmt.Errorf("%T is about the whole organization and can't be allowed on single projects", request)
	}
	return err
}

// find returns what is within reach; what is not is as if it were not there.
func (k kind[T, P]) find(ctx context.Context, v readmodel.View, reach authz.Reach, id uuid.UUID) (T, error) {
	state, err := k.table.Find(ctx, v, id)
	if err == nil && !k.within(reach, state) {
		var none T
		return none, k.table.Missing(id)
	}
	return state, err
}

func (k kind[T, P]) within(reach authz.Reach, state T) bool {
	return reach.Everywhere || k.project != nil && reach.Has(k.project(state))
}

// visible are the filters of a list.
func (k kind[T, P]) visible(reach authz.Reach, matches []readmodel.Match) ([]readmodel.Match, error) {
	switch {
	case reach.Everywhere:
		return matches, nil
	case k.projectColumn == "":
		return nil, fmt.Errorf("table of %T knows no projects", *new(T))
	}
	return append(matches, readmodel.Match{Column: k.projectColumn, Value: reach.Projects}), nil
}
