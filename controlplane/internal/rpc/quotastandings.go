package rpc

import (
	"context"
	"math"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/authz"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/filter"
	"github.com/weirhq/weir/controlplane/internal/ledger"
	"github.com/weirhq/weir/controlplane/internal/quota"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

// maxQuotaLeases bounds one answer.
const maxQuotaLeases = 500

// QuotaReader knows how it stands with limits and budgets; of those that are off it knows
// nothing.
type QuotaReader interface {
	Status(ctx context.Context, organization uuid.UUID, ids []uuid.UUID) ([]ledger.Status, error)
	Subject(ctx context.Context, organization, id uuid.UUID, subject string) (ledger.Status, bool, error)
	Subjects(ctx context.Context, organization, id uuid.UUID, after *ledger.Place, size int) ([]ledger.Status, *ledger.Place, error)
	History(ctx context.Context, organization, id uuid.UUID, subject, after string, size int) ([]ledger.Past, string, error)
}

var (
	_ QuotaReader                        = (*ledger.Reader)(nil)
	_ adminv1connect.QuotaServiceHandler = (*quotaStandings)(nil)
)

// quotaStandings are limits and budgets together, with what the ledger has of them.
type quotaStandings struct {
	runner *command.Runner
	store  *readmodel.Store
	reader QuotaReader
}

// accounted is a limit or a budget.
type accounted struct {
	id    uuid.UUID
	scope quota.Scope
	shown *adminv1.Quota
}

// quotaPlace is where a list of budgets and then limits goes on.
type quotaPlace struct {
	Limits bool         `json:"l,omitempty"`
	After  filter.Place `json:"a"`
}

func (s *quotaStandings) ListQuotas(ctx context.Context, req *connect.Request[adminv1.ListQuotasRequest]) (*connect.Response[adminv1.ListQuotasResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	l, err := fromSelection("quotas of "+req.Msg.GetProjectId()+" "+req.Msg.GetKind().String(), readmodel.QuotaFields, req.Msg)
	if err != nil {
		return nil, err
	}
	from, err := fromPageToken[quotaPlace](l.id, "page.token", req.Msg.GetPage().GetToken())
	if err != nil {
		return nil, err
	}
	if from == nil {
		from = &quotaPlace{}
	}
	var found []accounted
	var next *quotaPlace
	err = s.store.Read(ctx, caller.OrganizationID, func(v readmodel.View) (err error) {
		found, next, err = pageOfQuotas(ctx, v, req.Msg, l.Query, *from)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.complete(ctx, caller.OrganizationID, found); err != nil {
		return nil, err
	}
	token, err := toPageToken(l.id, next)
	return connect.NewResponse(&adminv1.ListQuotasResponse{
		Quotas: convertAll(found, func(q accounted) *adminv1.Quota { return q.shown }), NextPageToken: token,
	}), err
}

// pageOfQuotas is filled with limits where the budgets end.
func pageOfQuotas(
	ctx context.Context, v readmodel.View, m *adminv1.ListQuotasRequest, q readmodel.Query, from quotaPlace,
) (found []accounted, next *quotaPlace, err error) {
	q.Size, q.After = pageSize(m.GetPage()), from.After
	if !from.Limits && m.GetKind() != adminv1.QuotaKind_QUOTA_KIND_LIMIT {
		budgets, end, err := pageOfKind(ctx, v, budgetKind, m, q, toBudgetStanding)
		if err != nil {
			return nil, nil, err
		}
		if end != nil {
			return budgets, &quotaPlace{After: *end}, nil
		}
		found, q.Size, q.After = budgets, q.Size-len(budgets), filter.Place{}
	}
	switch {
	case m.GetKind() == adminv1.QuotaKind_QUOTA_KIND_BUDGET:
		return found, nil, nil
	case q.Size == 0:
		return found, &quotaPlace{Limits: true}, nil
	}
	limits, end, err := pageOfKind(ctx, v, limitKind, m, q, toLimitStanding)
	if end != nil {
		next = &quotaPlace{Limits: true, After: *end}
	}
	return append(found, limits...), next, err
}

// pageOfKind has budgets or limits, those that the caller may see.
func pageOfKind[T any, P resource](
	ctx context.Context, v readmodel.View, k kind[T, P], m *adminv1.ListQuotasRequest, q readmodel.Query, convert func(T) accounted,
) ([]accounted, *filter.Place, error) {
	reach, err := reachOf(ctx, m)
	if err != nil {
		return nil, nil, err
	}
	matches, err := sameID("project_id", m.GetProjectId())
	if err != nil {
		return nil, nil, err
	}
	if matches, err = k.visible(reach, matches); err != nil {
		return nil, nil, err
	}
	found, next, err := k.table.List(ctx, v, q, matches...)
	return convertAll(found, convert), next, err
}

// complete says how it stands with quotas.
func (s *quotaStandings) complete(ctx context.Context, organization uuid.UUID, quotas []accounted) error {
	if len(quotas) == 0 {
		return nil
	}
	byID := make(map[uuid.UUID]accounted, len(quotas))
	for _, q := range quotas {
		byID[q.id] = q
	}
	found, err := s.reader.Status(ctx, organization, convertAll(quotas, func(q accounted) uuid.UUID { return q.id }))
	for _, f := range found {
		byID[f.QuotaID].add(f)
	}
	return err
}

func (q accounted) add(f ledger.Status) {
	if q.scope.Apart() {
		q.shown.TopSubjects = append(q.shown.TopSubjects, toProtoStanding(f))
		return
	}
	q.shown.Standing = toProtoStanding(f)
}

func (s *quotaStandings) GetQuota(ctx context.Context, req *connect.Request[adminv1.GetQuotaRequest]) (*connect.Response[adminv1.GetQuotaResponse], error) {
	caller, q, err := s.find(ctx, req.Msg, req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	var found []ledger.Status
	if req.Msg.GetSubject() == "" {
		found, err = s.reader.Status(ctx, caller.OrganizationID, []uuid.UUID{q.id})
	} else {
		found, err = s.subject(ctx, caller.OrganizationID, q, req.Msg.GetSubject())
	}
	if err != nil {
		return nil, err
	}
	answer := &adminv1.GetQuotaResponse{Quota: q.shown}
	for _, f := range found {
		if q.scope.Apart() && req.Msg.GetSubject() == "" {
			q.add(f)
			continue
		}
		q.shown.Standing = toProtoStanding(f)
		shown := f.Leases[:min(len(f.Leases), maxQuotaLeases)]
		answer.Leases, answer.LeasesLeftOut = convertAll(shown, toProtoQuotaLease), int32(min(len(f.Leases)-len(shown), math.MaxInt32))
	}
	return connect.NewResponse(answer), nil
}

func (s *quotaStandings) subject(ctx context.Context, organization uuid.UUID, q accounted, subject string) ([]ledger.Status, error) {
	if !q.scope.Apart() {
		return nil, fault.Field("subject", "the quota counts all together; leave it out")
	}
	f, ok, err := s.reader.Subject(ctx, organization, q.id, subject)
	if err != nil || !ok { // it is off
		return nil, err
	}
	return []ledger.Status{f}, nil
}

func (s *quotaStandings) ListQuotaSubjects(ctx context.Context, req *connect.Request[adminv1.ListQuotaSubjectsRequest]) (*connect.Response[adminv1.ListQuotaSubjectsResponse], error) {
	caller, q, err := s.find(ctx, req.Msg, req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	name := listID("subjects of", q.id.String())
	after, err := fromPageToken[ledger.Place](name, "page.token", req.Msg.GetPage().GetToken())
	if err != nil {
		return nil, err
	}
	found, next, err := s.reader.Subjects(ctx, caller.OrganizationID, q.id, after, pageSize(req.Msg.GetPage()))
	if err != nil {
		return nil, err
	}
	token, err := toPageToken(name, next)
	return connect.NewResponse(&adminv1.ListQuotaSubjectsResponse{Subjects: convertAll(found, toProtoStanding), NextPageToken: token}), err
}

func (s *quotaStandings) ListQuotaHistory(ctx context.Context, req *connect.Request[adminv1.ListQuotaHistoryRequest]) (*connect.Response[adminv1.ListQuotaHistoryResponse], error) {
	caller, q, err := s.find(ctx, req.Msg, req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	if q.scope.Apart() != (req.Msg.GetSubject() != "") {
		return nil, fault.Field("subject", "want one where the quota counts each apart, and only there")
	}
	name := listID("windows of", q.id.String(), req.Msg.GetSubject())
	after, err := fromPageToken[string](name, "page.token", req.Msg.GetPage().GetToken())
	if err != nil {
		return nil, err
	}
	if after == nil {
		after = new(string)
	}
	found, next, err := s.reader.History(ctx, caller.OrganizationID, q.id, req.Msg.GetSubject(), *after, pageSize(req.Msg.GetPage()))
	if err != nil {
		return nil, err
	}
	answer := &adminv1.ListQuotaHistoryResponse{Windows: convertAll(found, toProtoPastWindow)}
	if next != "" {
		answer.NextPageToken, err = toPageToken(name, &next)
	}
	return connect.NewResponse(answer), err
}

// find returns the budget or limit that a request names, where the caller may see it.
func (s *quotaStandings) find(ctx context.Context, request any, text string) (caller authn.Principal, q accounted, err error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return caller, q, errNoCaller
	}
	id, err := parseID("id", text)
	if err != nil {
		return caller, q, err
	}
	reach, err := reachOf(ctx, request)
	if err != nil {
		return caller, q, err
	}
	err = s.store.Read(ctx, caller.OrganizationID, func(v readmodel.View) error {
		q, err = quotaOf(ctx, v, reach, id)
		return err
	})
	return caller, q, err
}

func quotaOf(ctx context.Context, v readmodel.View, reach authz.Reach, id uuid.UUID) (accounted, error) {
	b, err := budgetKind.find(ctx, v, reach, id)
	if err == nil {
		return toBudgetStanding(b), nil
	}
	if !fault.Is(err, fault.NotFound) {
		return accounted{}, err
	}
	l, err := limitKind.find(ctx, v, reach, id)
	if fault.Is(err, fault.NotFound) {
		return accounted{}, noQuota(id)
	}
	return toLimitStanding(l), err
}

func noQuota(id uuid.UUID) error {
	return fault.Because(fault.NotFound, "quota_not_found", "no budget or limit %s", id)
}
