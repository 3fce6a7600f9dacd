package rpc

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/report"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.ReportServiceHandler = (*reports)(nil)

// defaultRequests is the size of a page of them.
const defaultRequests = 50

type reports struct {
	reports *report.Reports
	// authenticator is asked anew while a stream goes on.
	authenticator Authenticator
	stall         time.Duration
	draining      <-chan struct{}
}

// NewReports serves ReportService. Streams that go on by themselves end with draining.
func NewReports(r *report.Reports, a Authenticator, draining <-chan struct{}) adminv1connect.ReportServiceHandler {
	return &reports{r, a, maxStall, draining}
}

func (s *reports) RunQuery(ctx context.Context, req *connect.Request[adminv1.RunQueryRequest]) (*connect.Response[adminv1.RunQueryResponse], error) {
	result, err := s.reports.Run(ctx, fromProtoQuery(req.Msg))
	if err != nil {
		return nil, err
	}
	count := int32(len(result.Rows))
	out := &adminv1.RunQueryResponse{
		Columns: toProtoColumns(result.Columns), RowCount: &count, Bytes: int64(result.Bytes), ElapsedUs: result.Elapsed.Microseconds(),
		Truncated: result.LimitedBy != report.NoLimit, LimitedBy: adminv1.QueryLimit(result.LimitedBy),
		MaxRows: report.MaxRows, MaxBytes: report.MaxBytes,
	}
	if out.Rows, err = toProtoRows(result.Rows); err != nil {
		return nil, err
	}
	return connect.NewResponse(out), nil
}

// asked is what every query of a caller says.
type asked interface {
	GetSql() string
	GetParameters() map[string]*structpb.Value
	GetTimeZone() string
}

func fromProtoQuery(from asked) report.Query {
	q := report.Query{SQL: from.GetSql(), TimeZone: from.GetTimeZone(), Parameters: map[string]any{}}
	for name, value := range from.GetParameters() {
		q.Parameters[name] = value.AsInterface()
	}
	return q
}

func toProtoColumns(from []report.Column) (to []*adminv1.Column) {
	for _, c := range from {
		to = append(to, &adminv1.Column{Name: c.Name, Type: c.Type})
	}
	return to
}

func toProtoRows(from [][]any) ([]*structpb.ListValue, error) {
	to := make([]*structpb.ListValue, len(from))
	for i, row := range from {
		values, err := structpb.NewList(row)
		if err != nil {
			return nil, fmt.Errorf("row %d of a query: %w", i, err)
		}
		to[i] = values
	}
	return to, nil
}

func (s *reports) GetOverview(ctx context.Context, req *connect.Request[adminv1.GetOverviewRequest]) (*connect.Response[adminv1.GetOverviewResponse], error) {
	result, err := s.reports.Overview(ctx, report.Overview{
		From: fromTimestamp(req.Msg.GetFrom()), To: fromTimestamp(req.Msg.GetTo()),
		Interval: report.Interval(req.Msg.GetInterval()), TimeZone: req.Msg.GetTimeZone(),
	})
	if err != nil {
		return nil, err
	}
	out := &adminv1.GetOverviewResponse{Totals: toProtoTotals(result.Totals), TimeZone: result.TimeZone}
	for _, p := range result.Series {
		out.Series = append(out.Series, &adminv1.Point{Start: timestamppb.New(p.Start), Totals: toProtoTotals(p.Totals)})
	}
	for _, r := range result.Routes {
		out.Routes = append(out.Routes, &adminv1.RouteTotals{Route: r.Route, Totals: toProtoTotals(r.Totals)})
	}
	return connect.NewResponse(out), nil
}

func (s *reports) ListRequests(ctx context.Context, req *connect.Request[adminv1.ListRequestsRequest]) (*connect.Response[adminv1.ListRequestsResponse], error) {
	l, err := fromSelection("requests", report.RequestFields, req.Msg)
	if err != nil {
		return nil, err
	}
	if err := l.resume("page_token", req.Msg.GetPageToken()); err != nil {
		return nil, err
	}
	size := cmp.Or(int(req.Msg.GetSize()), defaultRequests)
	page, next, err := s.reports.Requests(ctx, report.List{Filter: l.Filter, Order: l.Order, After: l.After, Size: size})
	if err != nil {
		return nil, err
	}
	out := &adminv1.ListRequestsResponse{}
	if out.NextPageToken, err = l.token(next); err != nil {
		return nil, err
	}
	for _, r := range page {
		out.Requests = append(out.Requests, toProtoRequest(r))
	}
	return connect.NewResponse(out), nil
}

func (s *reports) GetRequest(ctx context.Context, req *connect.Request[adminv1.GetRequestRequest]) (*connect.Response[adminv1.GetRequestResponse], error) {
	id, err := uuid.Parse(req.Msg.GetRequestId())
	if err != nil {
		return nil, fault.Field("request_id", "is no UUID")
	}
	found, err := s.reports.Request(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &adminv1.GetRequestResponse{
		Request: toProtoRequest(found.Request), Attempts: toProtoAttempts(found.Attempts), Shadows: toProtoAttempts(found.Shadows),
	}
	for _, c := range found.Candidates {
		out.Candidates = append(out.Candidates, &adminv1.RequestCandidate{Provider: c.Provider, Model: c.Model, Verdict: c.Verdict})
	}
	return connect.NewResponse(out), nil
}

func toProtoAttempts(of []report.Attempt) (out []*adminv1.RequestAttempt) {
	for _, a := range of {
		out = append(out, &adminv1.RequestAttempt{
			RequestId: a.RequestID.String(), Kind: a.Kind, Cause: a.Cause, Provider: a.Provider, Model: a.Model, Outcome: a.Outcome, Status: int32(a.Status),
			StartedAfterUs: a.StartedAfterUS, DurationUs: a.DurationUS, TimeToFirstTokenUs: a.TimeToFirstTokenUS,
			InputTokens: a.InputTokens, OutputTokens: a.OutputTokens, CostNanoUsd: a.CostNanoUSD, PriceBookVersion: a.PriceBookVersion,
		})
	}
	return out
}

func toProtoTotals(t report.Totals) *adminv1.Totals {
	return &adminv1.Totals{
		Requests: t.Requests, Errors: t.Errors, InputTokens: t.InputTokens, OutputTokens: t.OutputTokens,
		CostNanoUsd: t.CostNanoUSD, UnpricedRequests: t.UnpricedRequests,
		DurationP50Us: t.DurationP50US, DurationP95Us: t.DurationP95US, TimeToFirstTokenP95Us: t.TimeToFirstTokenP95US,
		Shadows: t.Shadows, ShadowCostNanoUsd: t.ShadowCostNanoUSD, UnpricedShadows: t.UnpricedShadows,
	}
}

func toProtoRequest(r report.Request) *adminv1.Request {
	return &adminv1.Request{
		RequestId: r.RequestID.String(), StartedAt: timestamppb.New(r.StartedAt), Route: r.Route,
		ProjectId: idOrEmpty(r.ProjectID), KeyId: idOrEmpty(r.KeyID), GatewayId: idOrEmpty(r.GatewayID),
		Provider: r.Provider, Model: r.Model, Streamed: r.Streamed, Outcome: r.Outcome, Status: int32(r.Status), ErrorCode: r.ErrorCode,
		InputTokens: r.InputTokens, OutputTokens: r.OutputTokens, CostNanoUsd: r.CostNanoUSD,
		DurationUs: r.DurationUS, TimeToFirstTokenUs: r.TimeToFirstTokenUS,
		PolicyVersion: r.PolicyVersion, Attempts: int32(r.Attempts), PriceBookVersion: r.PriceBookVersion,
		Surface: r.Surface, EndUser: r.EndUser, RunId: r.RunID, Labels: r.Labels,
		RefusedByQuotaId: idOrEmpty(r.RefusedBy), BeyondQuotaIds: toTexts(r.Beyond), QueuedUs: r.QueuedUS,
	}
}

func idOrEmpty(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}
