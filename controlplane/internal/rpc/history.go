package rpc

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.HistoryServiceHandler = (*histories)(nil)

// tellAtOnce is how many events are in memory at once with all that is said of them.
const tellAtOnce = 50

// histories is the log as people read it.
type histories struct {
	runner        *command.Runner
	store         *readmodel.Store
	authenticator Authenticator
	watches       *Watches
	// chapters are every kind of resource, what others stand on first.
	chapters []chapter
}

func (s *histories) ListEvents(ctx context.Context, req *connect.Request[adminv1.ListEventsRequest]) (*connect.Response[adminv1.ListEventsResponse], error) {
	if err := everywhere(ctx, req.Msg); err != nil {
		return nil, err
	}
	name, err := matchedName(req.Msg.GetMatch())
	if err != nil {
		return nil, err
	}
	filter, err := fromProtoMatch("match.", req.Msg.GetMatch())
	if err != nil {
		return nil, err
	}
	seen, err := fromPageToken[int64](name, "page.token", req.Msg.GetPage().GetToken())
	if err != nil {
		return nil, err
	}
	if seen != nil {
		if *seen <= 1 {
			return nil, fault.Field("page.token", "it is not of this list")
		}
		filter = upTo(filter, *seen-1)
	}
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.ListEventsResponse, error) {
		told, next, err := s.newest(ctx, v, filter, pageSize(req.Msg.GetPage()))
		if err != nil {
			return nil, err
		}
		answer := &adminv1.ListEventsResponse{Events: told}
		answer.NextPageToken, err = toPageToken(name, next)
		return answer, err
	})
}

// newest tells of a page of events that a filter takes, piece by piece, and returns the
// version that it goes on below; nil: there are no more.
func (s *histories) newest(ctx context.Context, v readmodel.View, filter eventlog.Filter, size int) (told []*adminv1.Event, next *int64, err error) {
	for bytes := 0; ; {
		found, err := pglog.FindIn(ctx, v.Tx, v.Organization, filter, true, max(1, min(size-len(told), tellAtOnce)))
		if err != nil || len(found) == 0 {
			return told, nil, err
		}
		piece, err := s.tell(ctx, v, found)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range piece {
			if len(told) == size || bytes > readmodel.PageBytes {
				return told, &told[len(told)-1].Version, nil
			}
			told, bytes = append(told, e), bytes+proto.Size(e)
		}
		if filter = upTo(filter, found[len(found)-1].Version-1); filter.Last == 0 {
			return told, nil, nil
		}
	}
}

func (s *histories) GetEvent(ctx context.Context, req *connect.Request[adminv1.GetEventRequest]) (*connect.Response[adminv1.GetEventResponse], error) {
	if err := everywhere(ctx, req.Msg); err != nil {
		return nil, err
	}
	version := req.Msg.GetVersion()
	return read(ctx, s.store, func(v readmodel.View) (*adminv1.GetEventResponse, error) {
		found, err := pglog.ReadIn(ctx, v.Tx, v.Organization, version-1, 1)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fault.Because(fault.NotFound, "event_not_found", "the log has no version %d", version)
		}
		events, err := s.tell(ctx, v, found)
		if err != nil {
			return nil, err
		}
		return &adminv1.GetEventResponse{Event: events[0]}, nil
	})
}

// matchedName is how page tokens call the list that a filter makes.
func matchedName(f *adminv1.EventMatch) (string, error) {
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(f)
	return listID("events", string(text)), err
}

func fromProtoMatch(within string, f *adminv1.EventMatch) (eventlog.Filter, error) {
	filter := eventlog.Filter{
		Kinds: f.GetKinds(), Actor: f.GetActor(), RequestID: f.GetRequestId(),
		From: fromTimestamp(f.GetFromTime()), Until: fromTimestamp(f.GetBeforeTime()),
		First: f.GetFirstVersion(), Last: f.GetLastVersion(),
	}
	for i, kind := range filter.Kinds {
		if !eventlog.Known(kind) {
			return filter, fault.Field(within+"kinds["+strconv.Itoa(i)+"]", "there is no kind of event %q", kind)
		}
	}
	var err error
	if f.GetResourceId() != "" {
		filter.Subject, err = parseID(within+"resource_id", f.GetResourceId())
	}
	return filter, err
}

// upTo takes no later version than last; 0 is no bound to a filter.
func upTo(f eventlog.Filter, last int64) eventlog.Filter {
	if f.Last == 0 || last < f.Last {
		f.Last = last
	}
	return f
}

// tell says of events what they were about and what they changed.
func (s *histories) tell(ctx context.Context, v readmodel.View, events []eventlog.Event) ([]*adminv1.Event, error) {
	turns := map[int64]turn{}
	for _, c := range s.chapters {
		of, err := c.turns(ctx, v, events)
		if err != nil {
			return nil, err
		}
		for version, t := range of {
			turns[version] = t
		}
	}
	told := make([]*adminv1.Event, 0, len(events))
	for _, e := range events {
		one, err := toProtoEvent(e, turns[e.Version])
		if err != nil {
			return nil, err
		}
		told = append(told, one)
	}
	return told, nil
}

// chapter of a kind; an Invalid fault about the field where there is none.
func (s *histories) chapter(field, kind string) (chapter, error) {
	at := slices.IndexFunc(s.chapters, func(c chapter) bool { return c.kind() == kind })
	if at < 0 {
		return nil, fault.Field(field, "want one of %s", strings.Join(convertAll(s.chapters, chapter.kind), ", "))
	}
	return s.chapters[at], nil
}
