package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/alert"
	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/filter"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

var _ adminv1connect.AlertServiceHandler = (*alerts)(nil)

type alerts struct{ store *readmodel.Store }

func (s *alerts) ListAlerts(ctx context.Context, req *connect.Request[adminv1.ListAlertsRequest]) (*connect.Response[adminv1.ListAlertsResponse], error) {
	all, next, err := listOf(ctx, s.store, "alerts", alert.Fields, req.Msg, alert.List)
	if err != nil {
		return nil, err
	}
	answer := &adminv1.ListAlertsResponse{NextPageToken: next}
	for _, a := range all {
		one, err := toProtoAlert(a)
		if err != nil {
			return nil, err
		}
		answer.Alerts = append(answer.Alerts, one)
	}
	return connect.NewResponse(answer), nil
}

func (s *alerts) ListAlertDeliveries(ctx context.Context, req *connect.Request[adminv1.ListAlertDeliveriesRequest]) (*connect.Response[adminv1.ListAlertDeliveriesResponse], error) {
	all, next, err := listOf(ctx, s.store, "alert deliveries", alert.DeliveryFields, req.Msg, alert.Deliveries)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&adminv1.ListAlertDeliveriesResponse{Deliveries: convertAll(all, toProtoAlertDelivery), NextPageToken: next}), nil
}

// listOf answers a list that is none of the log's, with the token of its next page.
func listOf[T any](ctx context.Context, store *readmodel.Store, name string, fields filter.Schema, request listed,
	list func(context.Context, readmodel.View, readmodel.Query) ([]T, *filter.Place, error),
) (found []T, token string, err error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, "", errNoCaller
	}
	l, err := fromList(name, fields, request)
	if err != nil {
		return nil, "", err
	}
	var next *filter.Place
	err = store.Read(ctx, caller.OrganizationID, func(v readmodel.View) (err error) {
		found, next, err = list(ctx, v, l.Query)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	token, err = l.token(next)
	return found, token, err
}

func (s *alerts) RetryAlertDelivery(ctx context.Context, req *connect.Request[adminv1.RetryAlertDeliveryRequest]) (*connect.Response[adminv1.RetryAlertDeliveryResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	var found alert.Delivery
	err = s.store.Write(ctx, caller.OrganizationID, func(v readmodel.View) (err error) {
		found, err = alert.Retry(ctx, v, id, time.Now())
		return err
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&adminv1.RetryAlertDeliveryResponse{Delivery: toProtoAlertDelivery(found)}), nil
}

func (s *alerts) SendTestAlert(ctx context.Context, req *connect.Request[adminv1.SendTestAlertRequest]) (*connect.Response[adminv1.SendTestAlertResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	id, err := parseID("alert_channel_id", req.Msg.GetAlertChannelId())
	if err != nil {
		return nil, err
	}
	answer := &adminv1.SendTestAlertResponse{}
	err = s.store.Write(ctx, caller.OrganizationID, func(v readmodel.View) error {
		channel, err := readmodel.AlertChannels.Find(ctx, v, id)
		if err != nil {
			return err
		}
		a, err := alert.Test{AlertChannelID: id, AlertChannel: channel.Name}.Alert(v.Organization, time.Now())
		if err != nil {
			return err
		}
		made, batch := false, &pgx.Batch{}
		a.Queue(batch, v.Organization, []uuid.UUID{id}, func(raised bool) { made = raised })
		if err := v.Tx.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		if !made {
			return fault.Because(fault.Exhausted, "too_many_alerts", "the organization has had %d alerts in 24 hours, or %d that are tests or name a subject", alert.MostADay, alert.MostOfMany)
		}
		answer.DeliveryId = a.DeliveryID(id).String()
		answer.Alert, err = toProtoAlert(a)
		return err
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(answer), nil
}
