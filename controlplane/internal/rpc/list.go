package rpc

import (
	"context"

	"github.com/weirhq/weir/controlplane/internal/readmodel"
)

// list reads one page of a table; name says what is listed, with what else
// restricts it.
func list[T, P any](
	ctx context.Context, v readmodel.View, table *readmodel.Table[T], convert func(T) P,
	name string, request listed, matches ...readmodel.Match,
) ([]P, string, error) {
	l, err := fromList(name, table.Fields(), request)
	if err != nil {
		return nil, "", err
	}
	found, next, err := table.List(ctx, v, l.Query, matches...)
	if err != nil {
		return nil, "", err
	}
	token, err := l.token(next)
	return convertAll(found, convert), token, err
}

func convertAll[T, P any](from []T, convert func(T) P) []P {
	to := make([]P, 0, len(from))
	for _, one := range from {
		to = append(to, convert(one))
	}
	return to
}
