package rpc

import (
	"context"

	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// list reads one page of a table; name says what is listed, with its filters.
func list[T, P any](
	ctx context.Context, v readmodel.View, table *readmodel.Table[T], convert func(T) P,
	name string, page *adminv1.Page, matches ...readmodel.Match,
) ([]P, string, error) {
	after, size, err := fromPage(name, page)
	if err != nil {
		return nil, "", err
	}
	found, next, err := table.List(ctx, v, after, size, matches...)
	if err != nil {
		return nil, "", err
	}
	token, err := toPageToken(name, next)
	return convertAll(found, convert), token, err
}

func convertAll[T, P any](from []T, convert func(T) P) []P {
	to := make([]P, 0, len(from))
	for _, one := range from {
		to = append(to, convert(one))
	}
	return to
}
