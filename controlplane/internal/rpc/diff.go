package rpc

import (
	"context"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// diffList is how page tokens call a diff.
const diffList = "diff"

// diffPlace is where a diff goes on: its versions, the chapter, and the id before.
type diffPlace struct {
	From    int64     `json:"f"`
	To      int64     `json:"t"`
	Chapter uint8     `json:"c"`
	After   uuid.UUID `json:"a"`
}

func (s *histories) Diff(ctx context.Context, req *connect.Request[adminv1.DiffRequest]) (*connect.Response[adminv1.DiffResponse], error) {
	if err := everywhere(ctx, req.Msg); err != nil {
		return nil, err
	}
	place, err := fromPageToken[diffPlace](diffList, "page.token", req.Msg.GetPage().GetToken())
	if err != nil {
		return nil, err
	}
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.DiffResponse, error) {
		at, err := compared(ctx, v, req.Msg, place)
		if err != nil {
			return nil, err
		}
		changes, next, err := s.diff(ctx, v, at, pageSize(req.Msg.GetPage()))
		if err != nil {
			return nil, err
		}
		answer := &adminv1.DiffResponse{Changes: changes, FromVersion: at.From, ToVersion: at.To}
		answer.NextPageToken, err = toPageToken(diffList, next)
		return answer, err
	})
}

// compared are the versions that the request names; a page after the first is of
// those that the page before was of, whatever now is by then.
func compared(ctx context.Context, v readmodel.View, request *adminv1.DiffRequest, place *diffPlace) (at diffPlace, err error) {
	if place != nil {
		at = *place
	}
	from, err := asOfField(ctx, v, "from", request.GetFrom())
	if err != nil {
		return at, err
	}
	to, err := asOfField(ctx, v, "to", request.GetTo())
	if err != nil {
		return at, err
	}
	switch {
	case place == nil:
		at.From, at.To = from.AsOf, to.AsOf
	case at.From != from.AsOf || request.GetTo() != nil && at.To != to.AsOf:
		return at, fault.Field("page.token", "it is of the diff of versions %d and %d; ask for those, or leave the token out", at.From, at.To)
	}
	return at, nil
}

// asOfField is the view of a version that a field names; of the newest where it does not.
func asOfField(ctx context.Context, v readmodel.View, field string, at *adminv1.AsOf) (readmodel.View, error) {
	switch point := at.GetPoint().(type) {
	case *adminv1.AsOf_Version:
		return v.AsOfVersion(ctx, field+".version", point.Version)
	case *adminv1.AsOf_Time:
		return v.AsOfTime(ctx, field+".time", point.Time.AsTime())
	}
	var err error
	v.AsOf, err = readmodel.Head(ctx, v)
	return v, err
}

// diff returns the changes of at most size resources that were written between two
// versions, and where it goes on; nil: there are no more.
func (s *histories) diff(ctx context.Context, v readmodel.View, at diffPlace, size int) ([]*adminv1.ResourceChange, *diffPlace, error) {
	var changes []*adminv1.ResourceChange
	left, bytes := size, 0
	for ; int(at.Chapter) < len(s.chapters); at.Chapter, at.After = at.Chapter+1, uuid.Nil {
		span := readmodel.Span{From: at.From, To: at.To, After: at.After, Limit: left + 1}
		whole, err := eachBetween(ctx, v, s.chapters[at.Chapter], span, func(t turn) (bool, error) {
			if left == 0 || bytes > readmodel.PageBytes {
				return false, nil
			}
			change, err := toProtoChange(t)
			if change != nil {
				changes, bytes = append(changes, change), bytes+proto.Size(change)
			}
			at.After = t.id
			left--
			return true, err
		})
		if err != nil || !whole {
			return changes, &at, err
		}
	}
	return changes, nil, nil
}

// eachBetween goes through what two versions do not have in the same row, as many as
// span says at once, for as long as do wants more; false: it did not want all.
func eachBetween(ctx context.Context, v readmodel.View, c chapter, span readmodel.Span, do func(turn) (bool, error)) (bool, error) {
	for {
		found, more, err := c.between(ctx, v, span)
		if err != nil {
			return false, err
		}
		for _, t := range found {
			if goOn, err := do(t); err != nil || !goOn {
				return false, err
			}
			span.After = t.id
		}
		if !more {
			return true, nil
		}
	}
}
