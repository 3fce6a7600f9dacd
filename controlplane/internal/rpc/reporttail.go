package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/report"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const (
	// tailEvery is how often a tail asks for what is new.
	tailEvery = time.Second
	// tailBeat is the longest that it is silent.
	tailBeat = 5 * time.Second
)

var errTailOver = fault.Because(fault.Unavailable, "shutting_down", "this server shuts down; begin again, and list what came meanwhile")

func (s *reports) TailRequests(ctx context.Context, req *connect.Request[adminv1.TailRequestsRequest], stream *connect.ServerStream[adminv1.TailRequestsResponse]) error {
	f, err := newFlow(ctx, s.authenticator, s.stall, req.Msg, req.Header())
	if err != nil {
		return err
	}
	filter, err := report.RequestFields.Parse(req.Msg.GetFilter())
	if err != nil {
		return err
	}
	tail, err := s.reports.Tail(ctx, filter)
	if err != nil {
		return err
	}
	defer tail.Close()
	out := tailStream{f, tail, stream}
	return out.run(ctx, s.draining)
}

// tailStream is one tail of one caller.
type tailStream struct {
	flow   *flow
	tail   *report.Tail
	stream *connect.ServerStream[adminv1.TailRequestsResponse]
}

func (t tailStream) run(ctx context.Context, draining <-chan struct{}) error {
	if err := t.beat(ctx); err != nil {
		return err
	}
	said := time.Now()
	every := time.NewTicker(tailEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-draining:
			return errTailOver
		case <-every.C:
		}
		sent, err := t.round(ctx)
		if err != nil {
			return err
		}
		if sent == 0 && time.Since(said) < tailBeat-tailEvery {
			continue
		}
		if err := t.beat(ctx); err != nil {
			return err
		}
		said = time.Now()
	}
}

// round sends what is new.
func (t tailStream) round(ctx context.Context) (sent int, err error) {
	if err := t.flow.permit.still(ctx); err != nil {
		return 0, err
	}
	requests, err := t.tail.Next(ctx)
	if err != nil {
		return 0, err
	}
	for _, r := range requests {
		if err := t.send(ctx, &adminv1.TailRequestsResponse{Message: &adminv1.TailRequestsResponse_Request{Request: toProtoRequest(r)}}); err != nil {
			return 0, err
		}
	}
	return len(requests), nil
}

func (t tailStream) beat(ctx context.Context) error {
	return t.send(ctx, &adminv1.TailRequestsResponse{Message: &adminv1.TailRequestsResponse_Heartbeat{
		Heartbeat: &adminv1.TailHeartbeat{StoredBefore: timestamppb.New(t.tail.Settled())},
	}})
}

func (t tailStream) send(ctx context.Context, message *adminv1.TailRequestsResponse) error {
	return t.flow.send(ctx, func() error { return t.stream.Send(message) })
}
