package rpc

import (
	"context"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/report"
	"github.com/weirhq/weir/controlplane/internal/savedreport"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.SavedReportServiceHandler = (*savedReports)(nil)

type savedReports struct {
	runner *command.Runner
	store  *readmodel.Store
}

var savedReportKind = kind[savedreport.SavedReport, *adminv1.SavedReport]{
	table: readmodel.SavedReports, convert: toProtoSavedReport, apply: savedreport.Apply,
	version:  func(r savedreport.SavedReport) int64 { return r.Version },
	settable: []protoreflect.Name{"name", "description", "sql"},
}

func toProtoSavedReport(r savedreport.SavedReport) *adminv1.SavedReport {
	return &adminv1.SavedReport{
		Id: r.ID.String(), Name: r.Name, Description: r.Description, Sql: r.SQL, CreatedAt: toTimestamp(r.CreatedAt), Etag: toETag(r.Version),
	}
}

func (s *savedReports) CreateSavedReport(ctx context.Context, req *connect.Request[adminv1.CreateSavedReportRequest]) (*connect.Response[adminv1.CreateSavedReportResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	if err := report.Check(req.Msg.GetSql()); err != nil {
		return nil, err
	}
	creation := savedreport.Creation{ID: id, Settings: savedreport.Settings{
		Name: req.Msg.GetName(), Description: req.Msg.GetDescription(), SQL: req.Msg.GetSql(),
	}}
	return create(ctx, s.runner, savedReportKind, req, func(ctx context.Context, v readmodel.View) (_ []eventlog.Change, err error) {
		if creation.NameTaken, err = readmodel.SavedReports.Any(ctx, v, named(creation.Name)); err != nil {
			return nil, err
		}
		return savedreport.Create(creation)
	}, func(r *adminv1.SavedReport) *adminv1.CreateSavedReportResponse {
		return &adminv1.CreateSavedReportResponse{SavedReport: r}
	})
}

func (s *savedReports) GetSavedReport(ctx context.Context, req *connect.Request[adminv1.GetSavedReportRequest]) (*connect.Response[adminv1.GetSavedReportResponse], error) {
	return get(ctx, s.store, savedReportKind, req.Msg, func(r *adminv1.SavedReport) *adminv1.GetSavedReportResponse {
		return &adminv1.GetSavedReportResponse{SavedReport: r}
	})
}

func (s *savedReports) ListSavedReports(ctx context.Context, req *connect.Request[adminv1.ListSavedReportsRequest]) (*connect.Response[adminv1.ListSavedReportsResponse], error) {
	return page(ctx, s.store, savedReportKind, "saved reports", req.Msg, func(all []*adminv1.SavedReport, next string) *adminv1.ListSavedReportsResponse {
		return &adminv1.ListSavedReportsResponse{SavedReports: all, NextPageToken: next}
	})
}

func (s *savedReports) UpdateSavedReport(ctx context.Context, req *connect.Request[adminv1.UpdateSavedReportRequest]) (*connect.Response[adminv1.UpdateSavedReportResponse], error) {
	decide := func(ctx context.Context, v readmodel.View, was savedreport.SavedReport, wanted *adminv1.SavedReport) ([]eventlog.Change, error) {
		if err := report.Check(wanted.GetSql()); err != nil {
			return nil, err
		}
		taken, err := readmodel.SavedReports.TakenByOther(ctx, v, was.ID, named(wanted.GetName()))
		if err != nil {
			return nil, err
		}
		return was.Update(savedreport.Settings{Name: wanted.GetName(), Description: wanted.GetDescription(), SQL: wanted.GetSql()}, taken)
	}
	return update(ctx, s.runner, savedReportKind, req, "saved_report", req.Msg.GetSavedReport(), req.Msg.GetUpdateMask(), decide,
		func(r *adminv1.SavedReport) *adminv1.UpdateSavedReportResponse {
			return &adminv1.UpdateSavedReportResponse{SavedReport: r}
		})
}

func (s *savedReports) DeleteSavedReport(ctx context.Context, req *connect.Request[adminv1.DeleteSavedReportRequest]) (*connect.Response[adminv1.DeleteSavedReportResponse], error) {
	return archive[savedreport.SavedReport, *adminv1.SavedReport, adminv1.DeleteSavedReportResponse](ctx, s.runner, savedReportKind, req, req.Msg,
		func(_ context.Context, _ readmodel.View, was savedreport.SavedReport) ([]eventlog.Change, error) {
			return was.Archive(), nil
		})
}
