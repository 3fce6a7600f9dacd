package rpc

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/report"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

const (
	// QueryCSVPath is where GET answers with the result of a query as a file.
	QueryCSVPath = "/v1/reports/query.csv"
	// rowCountTrailer comes after a whole file.
	rowCountTrailer = "X-Weir-Row-Count"
)

// NewQueryCSV returns what serves QueryCSVPath, behind the guard of StreamQuery.
func NewQueryCSV(c AdminConfig, r *report.Reports) http.Handler {
	return recorded(c.Logger, &csvDownload{c.guard(), c.Store, r})
}

type csvDownload struct {
	guard   *guard
	store   *readmodel.Store
	reports *report.Reports
}

func (d *csvDownload) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	procedure := adminv1connect.ReportServiceStreamQueryProcedure
	method, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(strings.ReplaceAll(procedure[1:], "/", ".")))
	if err != nil {
		refuse(w, r, err)
		return
	}
	ctx, err := d.guard.gate(r.Context(), connect.Spec{Procedure: procedure, Schema: method}, connect.Peer{Addr: r.RemoteAddr}, r.Header)
	if err != nil {
		_ = errorWriter.Write(w, r, err) // the caller is gone
		return
	}
	c, _ := callFrom(ctx) // or the gate had refused
	file := &csvFile{w: w}
	err = d.serve(ctx, r, file)
	if err = c.finish(ctx, d.guard.logger, err); err == nil {
		return
	}
	if file.begun {
		file.breakOff(c, err)
	}
	_ = errorWriter.Write(w, r, err) // the caller is gone
}

func (d *csvDownload) serve(ctx context.Context, r *http.Request, file *csvFile) (err error) {
	defer func() { err = recovered(recover(), err) }()
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil { // what Query would leave out: a time zone, a parameter
		return fault.New(fault.Invalid, "the link can't be read: %s; in a value %% is %%25 and ; is %%3B", err)
	}
	wanted, err := fromCSVQuery(query)
	if err != nil {
		return err
	}
	file.name = "query"
	if wanted.report != uuid.Nil {
		if file.name, wanted.request.Sql, err = d.saved(ctx, wanted.report); err != nil {
			return err
		}
	}
	if err := validate(wanted.request); err != nil {
		return err
	}
	if file.flow, err = newFlow(ctx, d.guard.authenticator, maxStall, wanted.request, r.Header); err != nil {
		return err
	}
	file.ctx, file.CSV = ctx, &report.CSV{Raw: wanted.raw}
	sum, err := d.reports.Stream(ctx, fromProtoQuery(wanted.request), file)
	if err != nil {
		return err
	}
	if err := file.flush(); err != nil {
		return err
	}
	file.w.Header().Set(rowCountTrailer, strconv.FormatInt(sum.Rows, 10))
	return nil
}

// saved finds a report of the caller's organization: its name and statement.
func (d *csvDownload) saved(ctx context.Context, id uuid.UUID) (name, sql string, err error) {
	c, ok := callFrom(ctx)
	if !ok {
		return "", "", errNoGate
	}
	err = d.store.Read(ctx, c.caller.OrganizationID, func(v readmodel.View) error {
		found, err := readmodel.SavedReports.Find(ctx, v, id)
		name, sql = found.Name, found.SQL
		return err
	})
	return name, sql, err
}

// csvWanted is what a GET asks for.
type csvWanted struct {
	request *adminv1.StreamQueryRequest
	report  uuid.UUID
	raw     bool
}

// fromCSVQuery reads ?sql= or ?report=, and time_zone, raw, param_<name>.
func fromCSVQuery(query url.Values) (csvWanted, error) {
	out := csvWanted{request: &adminv1.StreamQueryRequest{Parameters: map[string]*structpb.Value{}}}
	for name, values := range query {
		if len(values) != 1 {
			return out, fault.Field(name, "stands %d times, want one", len(values))
		}
		parameter, isParameter := strings.CutPrefix(name, "param_")
		var err error
		switch value := values[0]; {
		case name == "sql":
			out.request.Sql = value
		case name == "time_zone":
			out.request.TimeZone = value
		case name == "raw":
			out.raw, err = strconv.ParseBool(value)
		case name == "report":
			out.report, err = uuid.Parse(value)
		case isParameter:
			out.request.Parameters[parameter] = structpb.NewStringValue(value)
		default:
			return out, fault.Field(clip(name), "is not known; there are sql, report, time_zone, raw and param_<name>")
		}
		if err != nil {
			return out, fault.Field(name, "can't be read: want %s", map[string]string{"raw": "true or false", "report": "the id of a saved report"}[name])
		}
	}
	if (out.request.GetSql() == "") == (out.report == uuid.Nil) {
		return out, fault.Field("sql", "want either sql, a statement, or report, the id of a saved one")
	}
	return out, nil
}
