package rpc

import (
	"context"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// dated is a request that may ask for the past.
type dated interface{ GetAsOf() *adminv1.AsOf }

// readAt runs a query about the whole organization, as of what the request says.
func readAt[A any](ctx context.Context, store *readmodel.Store, request dated, query func(readmodel.View) (*A, error)) (*connect.Response[A], error) {
	if err := everywhere(ctx, request); err != nil {
		return nil, err
	}
	return readWithin(ctx, store, request, query)
}

// readWithin is readAt for who sees to the caller's reach itself.
func readWithin[A any](ctx context.Context, store *readmodel.Store, request dated, query func(readmodel.View) (*A, error)) (*connect.Response[A], error) {
	return read(ctx, store, func(v readmodel.View) (*A, error) {
		v, err := asOf(ctx, v, request.GetAsOf())
		if err != nil {
			return nil, err
		}
		return query(v)
	})
}

func asOf(ctx context.Context, v readmodel.View, at *adminv1.AsOf) (readmodel.View, error) {
	switch point := at.GetPoint().(type) {
	case *adminv1.AsOf_Version:
		return v.AsOfVersion(ctx, "as_of.version", point.Version)
	case *adminv1.AsOf_Time:
		return v.AsOfTime(ctx, "as_of.time", point.Time.AsTime())
	}
	return v, nil
}
