package rpc

import (
	"context"
	"strconv"
	"strings"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// diffList is how page tokens call a diff.
const diffList = "diff"

// diffPlace is where a diff goes on: its versions, the chapter, and the id before.
type diffPlace struct {
	from, to int64
	chapter  int
	after    uuid.UUID
}

func (s *histories) Diff(ctx context.Context, req *connect.Request[adminv1.DiffRequest]) (*connect.Response[adminv1.DiffResponse], error) {
	if err := everywhere(ctx, req.Msg); err != nil {
		return nil, err
	}
	cursor, size, err := fromPage(diffList, req.Msg.GetPage())
	if err != nil {
		return nil, err
	}
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.DiffResponse, error) {
		at, err := compared(ctx, v, req.Msg, cursor)
		if err != nil {
			return nil, err
		}
		changes, next, err := s.diff(ctx, v, at, size)
		if err != nil {
			return nil, err
		}
		answer := &adminv1.DiffResponse{Changes: changes, FromVersion: at.from, ToVersion: at.to}
		answer.NextPageToken, err = toPageToken(diffList, next.cursor())
		return answer, err
	})
}

// compared are the versions that the request names; a page after the first is of
// those that the page before was of, whatever now is by then.
func compared(ctx context.Context, v readmodel.View, request *adminv1.DiffRequest, cursor readmodel.Cursor) (at diffPlace, err error) {
	if cursor.Name != "" {
		if at, err = fromCursor(cursor); err != nil {
			return at, err
		}
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
	case at.from == 0:
		at.from, at.to = from.AsOf, to.AsOf
	case at.from != from.AsOf || request.GetTo() != nil && at.to != to.AsOf:
		return at, fault.Field("page.token", "it is of the diff of versions %d and %d", at.from, at.to)
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
	for left := size; at.chapter < len(s.chapters); at.chapter, at.after = at.chapter+1, uuid.Nil {
		found, err := s.chapters[at.chapter].between(ctx, v, readmodel.Span{From: at.from, To: at.to, After: at.after, Limit: left + 1})
		if err != nil {
			return nil, nil, err
		}
		for _, t := range found {
			if left == 0 {
				return changes, &at, nil
			}
			change, err := toProtoChange(t)
			if err != nil {
				return nil, nil, err
			}
			if change != nil {
				changes = append(changes, change)
			}
			at.after = t.id
			left--
		}
	}
	return changes, nil, nil
}

func (p *diffPlace) cursor() *readmodel.Cursor {
	if p == nil {
		return nil
	}
	numbers := []string{strconv.FormatInt(p.from, 10), strconv.FormatInt(p.to, 10), strconv.Itoa(p.chapter)}
	return &readmodel.Cursor{Name: strings.Join(numbers, "/"), ID: p.after}
}

func fromCursor(c readmodel.Cursor) (diffPlace, error) {
	p := diffPlace{after: c.ID}
	numbers := strings.Split(c.Name, "/")
	if len(numbers) != 3 {
		return p, fault.Field("page.token", "it is not of this list")
	}
	var parsed [3]int64
	for i, text := range numbers {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return p, fault.Field("page.token", "it is not of this list")
		}
		parsed[i] = n
	}
	p.from, p.to, p.chapter = parsed[0], parsed[1], int(min(parsed[2], 1<<16))
	return p, nil
}
