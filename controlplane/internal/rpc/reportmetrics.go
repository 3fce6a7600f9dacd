package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/report"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func (s *reports) QueryMetrics(ctx context.Context, req *connect.Request[adminv1.QueryMetricsRequest]) (*connect.Response[adminv1.QueryMetricsResponse], error) {
	m, err := fromProtoMetrics(req.Msg)
	if err != nil {
		return nil, err
	}
	found, err := s.reports.Metrics(ctx, m)
	if err != nil {
		return nil, err
	}
	out := &adminv1.QueryMetricsResponse{
		Starts: toTimestamps(found.Starts), Total: toProtoSeries(found.Total),
		From: timestamppb.New(found.From), To: timestamppb.New(found.To), Interval: adminv1.Interval(found.Interval), TimeZone: found.TimeZone,
	}
	for _, one := range found.Series {
		out.Series = append(out.Series, toProtoSeries(one))
	}
	if found.Other != nil {
		out.Other = toProtoSeries(found.Other)
	}
	if found.ComparePrevious {
		out.PreviousFrom, out.PreviousTo = timestamppb.New(found.PreviousFrom), timestamppb.New(found.PreviousTo)
		out.PreviousStarts = toTimestamps(found.PreviousStarts)
	}
	return connect.NewResponse(out), nil
}

func fromProtoMetrics(from *adminv1.QueryMetricsRequest) (report.Metrics, error) {
	m := report.Metrics{
		GroupBy: from.GetGroupBy(), From: fromTimestamp(from.GetFrom()), To: fromTimestamp(from.GetTo()),
		Interval: report.Interval(from.GetInterval()), TimeZone: from.GetTimeZone(),
		Top: int(from.GetTop()), ComparePrevious: from.GetComparePrevious(),
	}
	for _, one := range from.GetMeasures() {
		m.Measures = append(m.Measures, report.Measure(one))
	}
	var err error
	m.Filter, err = report.RequestFields.Parse(from.GetFilter())
	return m, err
}

func toProtoSeries(from *report.Series) *adminv1.MetricSeries {
	return &adminv1.MetricSeries{
		Group: from.Group, SharePpm: from.PartOfAll,
		Totals: toProtoValues(from.Totals), Points: toProtoPoints(from.Points),
		PreviousTotals: toProtoValues(from.Previous), PreviousPoints: toProtoPoints(from.PreviousPoints),
	}
}

func toProtoPoints(from []report.Values) (to []*adminv1.MetricPoint) {
	for _, values := range from {
		to = append(to, &adminv1.MetricPoint{Values: toProtoValues(values)})
	}
	return to
}

func toProtoValues(from report.Values) (to []*adminv1.MetricValue) {
	for _, value := range from {
		to = append(to, &adminv1.MetricValue{Value: value})
	}
	return to
}

func toTimestamps(from []time.Time) (to []*timestamppb.Timestamp) {
	for _, t := range from {
		to = append(to, timestamppb.New(t))
	}
	return to
}
