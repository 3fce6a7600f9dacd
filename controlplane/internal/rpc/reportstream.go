package rpc

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/report"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// maxStall is how long the caller of a report may take nothing of it.
const maxStall = 30 * time.Second

// flow is a report on its way to its caller: it ends with their authority, and when they
// do not read.
type flow struct {
	call   *call
	permit permit
	stall  time.Duration
}

func newFlow(ctx context.Context, a Authenticator, stall time.Duration, request proto.Message, header http.Header) (*flow, error) {
	c, ok := callFrom(ctx)
	if !ok {
		return nil, errNoGate
	}
	return &flow{call: c, permit: permit{a, request, header, time.Now()}, stall: stall}, nil
}

func (f *flow) send(ctx context.Context, send func() error) error {
	if err := f.permit.still(ctx); err != nil {
		return err
	}
	err := f.call.boundBy(f.stall, send)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.Because(fault.Exhausted, "reader_stalled", "nothing was read for %s: ask again, and read as it comes", f.stall)
	}
	return err
}

func (s *reports) StreamQuery(ctx context.Context, req *connect.Request[adminv1.StreamQueryRequest], stream *connect.ServerStream[adminv1.StreamQueryResponse]) error {
	f, err := newFlow(ctx, s.authenticator, s.stall, req.Msg, req.Header())
	if err != nil {
		return err
	}
	out := &queryStream{ctx: ctx, flow: f, stream: stream}
	sum, err := s.reports.Stream(ctx, fromProtoQuery(req.Msg), out)
	if err != nil {
		return err
	}
	return out.send(&adminv1.StreamQueryResponse{Message: &adminv1.StreamQueryResponse_Trailer{Trailer: &adminv1.QueryTrailer{
		RowCount: sum.Rows, Bytes: sum.Bytes, ElapsedUs: sum.Elapsed.Microseconds(),
	}}})
}

// queryStream is the sink of one call.
type queryStream struct {
	ctx    context.Context //nolint:containedctx // of the call, as long as which this lives
	flow   *flow
	stream *connect.ServerStream[adminv1.StreamQueryResponse]
}

var _ report.Sink = (*queryStream)(nil)

func (q *queryStream) Columns(columns []report.Column) error {
	return q.send(&adminv1.StreamQueryResponse{Message: &adminv1.StreamQueryResponse_Columns{
		Columns: &adminv1.QueryColumns{Columns: toProtoColumns(columns)},
	}})
}

func (q *queryStream) Rows(rows [][]any) error {
	values, err := toProtoRows(rows)
	if err != nil {
		return err
	}
	return q.send(&adminv1.StreamQueryResponse{Message: &adminv1.StreamQueryResponse_Rows{Rows: &adminv1.QueryRows{Rows: values}}})
}

func (q *queryStream) send(message *adminv1.StreamQueryResponse) error {
	return q.flow.send(q.ctx, func() error { return q.stream.Send(message) })
}
