package rpc

import (
	"context"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/authz"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const (
	// watchBeat is the longest that a stream is silent.
	watchBeat = 15 * time.Second
	// watchRecheck is how old the look at the caller's authority gets, and how late
	// events are when a wake-up was lost.
	watchRecheck = 2 * time.Second
)

var errShuttingDown = fault.Because(fault.Unavailable, "shutting_down",
	"this server shuts down; come back with the last version that you saw")

// watch is one stream of one caller.
type watch struct {
	*histories
	caller  authn.Principal
	request *adminv1.WatchEventsRequest
	header  http.Header
	stream  *connect.ServerStream[adminv1.WatchEventsResponse]
	call    *call

	// seen is the version up to which everything was sent.
	seen    int64
	checked time.Time
	said    time.Time
}

func (s *histories) WatchEvents(ctx context.Context, req *connect.Request[adminv1.WatchEventsRequest], stream *connect.ServerStream[adminv1.WatchEventsResponse]) error {
	if err := everywhere(ctx, req.Msg); err != nil {
		return err
	}
	c, ok := callFrom(ctx)
	if !ok {
		return errNoGate
	}
	w := &watch{
		histories: s, caller: c.caller, request: req.Msg, header: req.Header(), stream: stream, call: c,
		seen: req.Msg.GetAfterVersion(), checked: time.Now(),
	}
	wake, leave, err := s.watches.join(c.caller.OrganizationID)
	if err != nil {
		return err
	}
	defer leave()
	return w.run(ctx, wake)
}

func (w *watch) run(ctx context.Context, wake <-chan struct{}) error {
	if err := w.begins(ctx); err != nil {
		return err
	}
	recheck := time.NewTicker(watchRecheck)
	defer recheck.Stop()
	for {
		if err := w.catchUp(ctx); err != nil {
			return err
		}
		if time.Since(w.said) >= watchBeat-watchRecheck {
			if err := w.beat(); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.watches.draining:
			return errShuttingDown
		case <-recheck.C:
		case <-wake:
		}
	}
}

// begins refuses a version that the log has not reached: the caller saw another log,
// or one that a restored database does not have.
func (w *watch) begins(ctx context.Context) error {
	var head int64
	err := w.store.Read(ctx, w.caller.OrganizationID, func(v readmodel.View) (err error) {
		head, err = readmodel.Head(ctx, v)
		return err
	})
	if err == nil && w.seen > head {
		return fault.Field("after_version", "want 0 to %d, the log's newest version; got %d", head, w.seen)
	}
	return err
}

// catchUp sends what the log has by now, page by page.
func (w *watch) catchUp(ctx context.Context) error {
	for {
		if err := w.allowed(ctx); err != nil {
			return err
		}
		events, err := w.page(ctx)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			if err := w.send(&adminv1.WatchEventsResponse{Message: &adminv1.WatchEventsResponse_Event{Event: e}}); err != nil {
				return err
			}
			w.seen = e.GetVersion()
		}
		select {
		case <-w.watches.draining:
			return errShuttingDown
		default:
		}
	}
}

func (w *watch) page(ctx context.Context) (told []*adminv1.Event, err error) {
	err = w.store.Read(ctx, w.caller.OrganizationID, func(v readmodel.View) error {
		var found []eventlog.Event
		if found, err = pglog.FindIn(ctx, v.Tx, v.Organization, eventlog.Filter{First: w.seen + 1}, false, tellAtOnce); err != nil || len(found) == 0 {
			return err
		}
		told, err = w.tell(ctx, v, found)
		return err
	})
	return told, err
}

// allowed asks anew, now and then, who calls and whether they still may.
func (w *watch) allowed(ctx context.Context) error {
	if time.Since(w.checked) < watchRecheck {
		return nil
	}
	caller, err := w.authenticator.Recheck(ctx, w.header)
	if err != nil {
		return err
	}
	if err := authz.Check(caller, authz.OfRequest(w.request)); err != nil {
		return err
	}
	if err := everywhere(authn.With(ctx, caller), w.request); err != nil {
		return err
	}
	w.checked = time.Now()
	return nil
}

func (w *watch) beat() error {
	return w.send(&adminv1.WatchEventsResponse{Message: &adminv1.WatchEventsResponse_Heartbeat{
		Heartbeat: &adminv1.WatchHeartbeat{Version: w.seen},
	}})
}

func (w *watch) send(message *adminv1.WatchEventsResponse) error {
	w.said = time.Now()
	return w.call.bound(func() error { return w.stream.Send(message) })
}
