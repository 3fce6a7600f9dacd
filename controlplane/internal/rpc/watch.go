package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const (
	// watchBeat is the longest that a stream is silent.
	watchBeat = 15 * time.Second
	// watchSweep is how late events are when a wake-up was lost.
	watchSweep = recheck
)

var errShuttingDown = fault.Because(fault.Unavailable, "shutting_down",
	"this server shuts down; come back with the last version that you saw")

// watch is one stream of one caller.
type watch struct {
	*histories
	permit permit
	stream *connect.ServerStream[adminv1.WatchEventsResponse]
	call   *call

	// seen is the version up to which everything was sent.
	seen int64
	said time.Time
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
		histories: s, permit: s.permitOf(req.Msg, req.Header()), stream: stream, call: c, seen: req.Msg.GetAfterVersion(),
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
	sweep := time.NewTicker(watchSweep)
	defer sweep.Stop()
	for {
		if err := w.catchUp(ctx); err != nil {
			return err
		}
		if time.Since(w.said) >= watchBeat-watchSweep {
			if err := w.beat(); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.watches.draining:
			return errShuttingDown
		case <-sweep.C:
		case <-wake:
		}
	}
}

// begins refuses a version that the log has not reached: the caller saw another log,
// or one that a restored database does not have.
func (w *watch) begins(ctx context.Context) error {
	var head int64
	err := w.store.Read(ctx, w.call.caller.OrganizationID, func(v readmodel.View) (err error) {
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
		if err := w.permit.still(ctx); err != nil {
			return err
		}
		events, err := w.page(ctx)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			if err := w.permit.still(ctx); err != nil {
				return err
			}
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
	err = w.store.Read(ctx, w.call.caller.OrganizationID, func(v readmodel.View) error {
		var found []eventlog.Event
		if found, err = pglog.FindIn(ctx, v.Tx, v.Organization, eventlog.Filter{First: w.seen + 1}, false, tellAtOnce); err != nil || len(found) == 0 {
			return err
		}
		told, err = w.tell(ctx, v, found)
		return err
	})
	return told, err
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
