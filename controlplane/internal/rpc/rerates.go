package rpc

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/pricebook"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rerate"
	"github.com/weirhq/weir/controlplane/internal/rerating"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.RerateServiceHandler = (*rerates)(nil)

// Usage tells what re-rates would come to.
type Usage interface {
	// Covered is until when all that was stored is to be seen.
	Covered(ctx context.Context) (time.Time, error)
	Differences(ctx context.Context, organization uuid.UUID, s rerate.Settings, proposed []priceoverride.PriceOverride) (rerate.Tally, error)
}

var _ Usage = (*rerating.Preview)(nil)

type rerates struct {
	runner *command.Runner
	store  *readmodel.Store
	usage  Usage
}

var rerateKind = kind[rerate.Rerate, *adminv1.Rerate]{
	table: readmodel.Rerates, convert: toProtoRerate, apply: rerate.Apply,
	version: func(r rerate.Rerate) int64 { return r.Version },
	beside: func(ctx context.Context, v readmodel.View) (func(*adminv1.Rerate), error) {
		runs, err := rerating.RunsOf(ctx, v)
		return func(m *adminv1.Rerate) {
			id, _ := uuid.Parse(m.GetId())
			if run, ok := runs[id]; ok {
				showRun(m, run)
			}
		}, err
	},
}

func (s *rerates) RerateUsage(ctx context.Context, req *connect.Request[adminv1.RerateUsageRequest]) (*connect.Response[adminv1.RerateUsageResponse], error) {
	id, err := newID()
	if err != nil {
		return nil, err
	}
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	proposed, err := fromProtoProposed(req.Msg)
	if err != nil {
		return nil, err
	}
	settings, err := s.settings(ctx, caller.OrganizationID, req.Msg)
	if err != nil {
		return nil, err
	}
	answer, err := mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.RerateUsageResponse], err error) {
		creation := rerate.Creation{ID: id, Settings: settings}
		if creation.Running, err = rerating.AnyRunning(ctx, v); err != nil {
			return d, err
		}
		if creation.Book, err = bookOf(ctx, v, req.Msg); err != nil {
			return d, err
		}
		settings.Book = creation.Book
		d.Changes, err = rerate.Start(creation)
		d.Parts = []pglog.Part{rerating.Begin}
		d.Answer = func(recorded []eventlog.Event) (*adminv1.RerateUsageResponse, error) {
			begun, err := created(recorded, rerate.Apply)
			message := toProtoRerate(begun)
			message.State, message.Reached = adminv1.RerateState_RERATE_STATE_RUNNING, message.From
			return &adminv1.RerateUsageResponse{Rerate: message}, err
		}
		return d, err
	})
	if err != nil || !req.Msg.GetMutation().GetValidateOnly() {
		return answer, err
	}
	found, err := s.usage.Differences(ctx, caller.OrganizationID, settings, proposed)
	if err != nil {
		return nil, err
	}
	shown := answer.Msg.GetRerate()
	showRun(shown, rerating.Run{Reached: settings.Until, Tally: found})
	return answer, nil
}

func (s *rerates) GetRerate(ctx context.Context, req *connect.Request[adminv1.GetRerateRequest]) (*connect.Response[adminv1.GetRerateResponse], error) {
	whole := rerateKind
	whole.beside = func(ctx context.Context, v readmodel.View) (func(*adminv1.Rerate), error) {
		id, err := parseID("id", req.Msg.GetId())
		if err != nil {
			return nil, err
		}
		run, ok, err := rerating.RunOf(ctx, v, id)
		return func(m *adminv1.Rerate) {
			if ok {
				showRun(m, run)
			}
		}, err
	}
	return get(ctx, s.store, whole, req.Msg, func(r *adminv1.Rerate) *adminv1.GetRerateResponse {
		return &adminv1.GetRerateResponse{Rerate: r}
	})
}

func (s *rerates) ListRerates(ctx context.Context, req *connect.Request[adminv1.ListReratesRequest]) (*connect.Response[adminv1.ListReratesResponse], error) {
	return page(ctx, s.store, rerateKind, "rerates", req.Msg, func(all []*adminv1.Rerate, next string) *adminv1.ListReratesResponse {
		return &adminv1.ListReratesResponse{Rerates: all, NextPageToken: next}
	})
}

// settings are what the request says, but for the book.
func (s *rerates) settings(ctx context.Context, organization uuid.UUID, req *adminv1.RerateUsageRequest) (rerate.Settings, error) {
	to := rerate.Settings{
		From: fromTimestamp(req.GetFrom()).Truncate(time.Microsecond), Until: fromTimestamp(req.GetUntil()).Truncate(time.Microsecond),
		Model: req.GetModel(), PriceUnpriced: req.GetPriceUnpriced(), Reason: req.GetReason(),
	}
	if err := to.Check(); err != nil {
		return to, err
	}
	err := s.store.Read(ctx, organization, func(v readmodel.View) (err error) {
		if to.ProjectID, err = everIn(ctx, v, readmodel.Projects, "project_id", req.GetProjectId()); err != nil {
			return err
		}
		to.ProviderID, err = everIn(ctx, v, readmodel.Providers, "provider_id", req.GetProviderId())
		return err
	})
	if err != nil {
		return to, err
	}
	covered, err := s.usage.Covered(ctx)
	if err != nil {
		return to, err
	}
	to.CoveredUntil = covered
	if at := req.GetCoveredUntil(); at != nil {
		to.CoveredUntil = at.AsTime().Truncate(time.Second)
		if to.CoveredUntil.After(covered) || to.CoveredUntil.Before(to.From) {
			return to, fault.Field("covered_until", "want from on to %s; what is stored later may still be on its way", covered.Format(time.RFC3339))
		}
	}
	return to, nil
}

// fromProtoProposed are overrides that a dry run takes for made.
func fromProtoProposed(req *adminv1.RerateUsageRequest) (proposed []priceoverride.PriceOverride, err error) {
	if len(req.GetProposed()) > 0 && !req.GetMutation().GetValidateOnly() {
		return nil, fault.Field("proposed", "want a dry run (mutation.validate_only): usage is priced by what was made")
	}
	for i, p := range req.GetProposed() {
		o, at := priceoverride.PriceOverride{}, fmt.Sprintf("proposed[%d].", i)
		if p.GetId() != "" {
			if o.ID, err = parseID(at+"id", p.GetId()); err != nil {
				return nil, err
			}
		} else if o.ID, err = newID(); err != nil {
			return nil, err
		}
		if o.Settings, err = fromProtoPrice(at, p); err != nil {
			return nil, err
		}
		if o.Settings = o.Complete(); slices.ContainsFunc(proposed, func(other priceoverride.PriceOverride) bool { return other.Name() == o.Name() }) {
			return nil, fault.Field(at+"model", "%s is proposed twice", o.Name())
		}
		if err := o.Check(); err != nil {
			return nil, err
		}
		proposed = append(proposed, o)
	}
	return proposed, nil
}

// everIn parses the id of something that the organization has, or had once.
func everIn[T any](ctx context.Context, v readmodel.View, table *readmodel.Table[T], field, text string) (uuid.UUID, error) {
	if text == "" {
		return uuid.Nil, nil
	}
	id, err := parseID(field, text)
	if err != nil {
		return uuid.Nil, err
	}
	known, err := table.Ever(ctx, v, id)
	if err == nil && !known {
		err = table.Missing(id)
	}
	return id, err
}

// bookOf is the book that the request names.
func bookOf(ctx context.Context, v readmodel.View, req *adminv1.RerateUsageRequest) (b rerate.Book, err error) {
	b.Builtin = cmp.Or(req.GetBuiltinVersion(), pricebook.Version)
	_, known, err := pricebook.Named(b.Builtin)
	if err != nil {
		return b, err
	}
	if !known {
		return b, fault.Field("builtin_version", "there is no built-in price book %q; the present one is %s", b.Builtin, pricebook.Version)
	}
	switch point := req.GetOverridesAsOf().GetPoint().(type) {
	case *adminv1.AsOf_Version:
		v, err = v.AsOfVersion(ctx, "overrides_as_of.version", point.Version)
	case *adminv1.AsOf_Time:
		v, err = v.AsOfTime(ctx, "overrides_as_of.time", point.Time.AsTime())
	}
	if err != nil {
		return b, err
	}
	b.Overrides, err = readmodel.PriceOverridesVersion(ctx, v)
	return b, err
}

func toProtoRerate(r rerate.Rerate) *adminv1.Rerate {
	return &adminv1.Rerate{
		Id: r.ID.String(), From: timestamppb.New(r.From), Until: timestamppb.New(r.Until), ProjectId: idOrEmpty(r.ProjectID), ProviderId: idOrEmpty(r.ProviderID),
		Model: r.Model, PriceBookVersion: r.Book.String(), PriceUnpriced: r.PriceUnpriced, CoveredUntil: timestamppb.New(r.CoveredUntil),
		Reason: r.Reason, CreatedAt: toTimestamp(r.CreatedAt), Etag: toETag(r.Version),
	}
}

// showRun completes a re-rate with how far it is.
func showRun(m *adminv1.Rerate, run rerating.Run) {
	m.State = map[string]adminv1.RerateState{
		rerating.Running: adminv1.RerateState_RERATE_STATE_RUNNING, rerating.Done: adminv1.RerateState_RERATE_STATE_DONE,
		rerating.Failed: adminv1.RerateState_RERATE_STATE_FAILED,
	}[run.State]
	m.Reached, m.Failure, m.FinishedAt = timestamppb.New(run.Reached), run.Failure, nil
	if !run.FinishedAt.IsZero() {
		m.FinishedAt = timestamppb.New(run.FinishedAt)
	}
	m.Total = toProtoDifference(rerate.Group{}, run.Tally.Total)
	for _, g := range run.Tally.Groups {
		m.Differences = append(m.Differences, toProtoDifference(g.Group, g.Difference))
	}
}

func toProtoDifference(g rerate.Group, d rerate.Difference) *adminv1.RerateDifference {
	m := &adminv1.RerateDifference{
		ProjectId: idOrEmpty(g.ProjectID), ProviderId: idOrEmpty(g.ProviderID), Provider: g.Provider, Model: g.Model,
		Requests: d.Requests, Attempts: d.Attempts, Corrected: d.Corrected, OldCostNanoUsd: d.OldNano, NewCostNanoUsd: d.NewNano,
	}
	for why, attempts := range d.LeftOut {
		m.LeftOut = append(m.LeftOut, &adminv1.RerateLeftOut{Reason: string(why), Attempts: attempts})
	}
	slices.SortFunc(m.LeftOut, func(a, b *adminv1.RerateLeftOut) int { return cmp.Compare(a.GetReason(), b.GetReason()) })
	return m
}
