package rpc

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/weirhq/weir/controlplane/internal/audit"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

const (
	// ExportPath is where GET answers with lines of JSON.
	ExportPath = "/weir/history/export"
	// anchorHeader names the newest link of the audit chain, for `audit verify --expect`.
	anchorHeader = "X-Weir-Audit-Anchor"
)

func (s *histories) ExportEvents(ctx context.Context, req *connect.Request[adminv1.ExportEventsRequest], stream *connect.ServerStream[adminv1.ExportEventsResponse]) error {
	e, err := s.newExport(ctx, "match.", req.Msg, req.Header())
	if err != nil {
		return err
	}
	if e.anchor != "" {
		stream.ResponseHeader().Set(anchorHeader, e.anchor)
	}
	return e.run(ctx, stream.Send)
}

// export is one on its way: from the oldest event to the newest that there was.
type export struct {
	*histories
	permit permit
	call   *call
	filter eventlog.Filter
	anchor string
}

func (s *histories) newExport(ctx context.Context, within string, request *adminv1.ExportEventsRequest, header http.Header) (*export, error) {
	if err := everywhere(ctx, request); err != nil {
		return nil, err
	}
	c, ok := callFrom(ctx)
	if !ok {
		return nil, errNoGate
	}
	e := &export{histories: s, permit: s.permitOf(request, header), call: c}
	var err error
	if e.filter, err = fromProtoMatch(within, request.GetMatch()); err != nil {
		return nil, err
	}
	err = s.store.Read(ctx, c.caller.OrganizationID, func(v readmodel.View) error {
		head, err := readmodel.Head(ctx, v)
		if err != nil {
			return err
		}
		e.filter = upTo(e.filter, head)
		anchor, chained, err := audit.AnchorIn(ctx, v.Tx, v.Organization)
		if chained {
			e.anchor = anchor.String()
		}
		return err
	})
	return e, err
}

func (e *export) run(ctx context.Context, send func(*adminv1.ExportEventsResponse) error) error {
	for {
		page, err := e.next(ctx)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, one := range page {
			if err := e.permit.still(ctx); err != nil {
				return err
			}
			if err := e.call.bound(func() error { return send(one) }); err != nil {
				return err
			}
		}
	}
}

// next reads a page and moves the filter behind it.
func (e *export) next(ctx context.Context) (page []*adminv1.ExportEventsResponse, err error) {
	err = e.store.Read(ctx, e.call.caller.OrganizationID, func(v readmodel.View) error {
		found, err := pglog.FindIn(ctx, v.Tx, v.Organization, e.filter, false, tellAtOnce)
		if err != nil || len(found) == 0 {
			return err
		}
		told, err := e.tell(ctx, v, found)
		if err != nil {
			return err
		}
		for i, event := range found {
			digest := audit.Digest(event)
			page = append(page, &adminv1.ExportEventsResponse{
				Event: told[i], Stored: string(event.Payload), Digest: hex.EncodeToString(digest[:]),
			})
		}
		e.filter.First = found[len(found)-1].Version + 1
		return nil
	})
	return page, err
}

// exporter serves ExportPath behind the guard.
type exporter struct {
	guard     *guard
	histories *histories
}

func (x *exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	procedure := adminv1connect.HistoryServiceExportEventsProcedure
	method, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(strings.ReplaceAll(procedure[1:], "/", ".")))
	if err != nil {
		refuse(w, r, err)
		return
	}
	ctx, err := x.guard.gate(r.Context(), connect.Spec{Procedure: procedure, Schema: method}, connect.Peer{Addr: r.RemoteAddr}, r.Header)
	if err != nil {
		_ = errorWriter.Write(w, r, err) // the caller is gone
		return
	}
	c, _ := callFrom(ctx) // or the gate had refused
	begun := false
	err = x.serve(ctx, w, r, &begun)
	if err = c.finish(ctx, x.guard.logger, err); err == nil {
		return
	}
	if begun {
		panic(http.ErrAbortHandler) //nolint:forbidigo // an export that breaks off must not look whole
	}
	_ = errorWriter.Write(w, r, err) // the caller is gone
}

// serve streams; begun tells whether something went out.
func (x *exporter) serve(ctx context.Context, w http.ResponseWriter, r *http.Request, begun *bool) (err error) {
	defer func() { err = recovered(recover(), err) }()
	request, err := fromQuery(r.URL.Query())
	if err != nil {
		return err
	}
	e, err := x.histories.newExport(ctx, "", request, r.Header)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Content-Disposition", `attachment; filename="history.jsonl"`)
	w.Header().Set("Cache-Control", "no-store")
	if e.anchor != "" {
		w.Header().Set(anchorHeader, e.anchor)
	}
	return e.run(ctx, func(one *adminv1.ExportEventsResponse) error {
		line, err := toLine(one)
		if err != nil {
			return err
		}
		*begun = true
		_, err = w.Write(line)
		return err
	})
}

// toLine is the message's JSON without the spaces, which protojson varies.
func toLine(one *adminv1.ExportEventsResponse) ([]byte, error) {
	text, err := protojson.Marshal(one)
	if err != nil {
		return nil, err
	}
	var line bytes.Buffer
	err = json.Compact(&line, text)
	line.WriteByte('\n')
	return line.Bytes(), err
}

// fromQuery reads the fields of EventMatch, each by its name, as the JSON codec does:
// what it does not know is refused.
func fromQuery(query url.Values) (*adminv1.ExportEventsRequest, error) {
	match := map[string]any{}
	fields := (&adminv1.EventMatch{}).ProtoReflect().Descriptor().Fields()
	for name, values := range query {
		f := fields.ByName(protoreflect.Name(name))
		if f == nil {
			f = fields.ByJSONName(name)
		}
		match[name] = values
		if len(values) == 1 && (f == nil || !f.IsList()) {
			match[name] = values[0]
		}
	}
	text, err := json.Marshal(map[string]any{"match": match})
	if err != nil {
		return nil, err
	}
	request := &adminv1.ExportEventsRequest{}
	if err := (jsonCodec{}).Unmarshal(text, request); err != nil {
		return nil, err
	}
	return request, validate(request)
}
