package rpc_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/alert"
	"github.com/weirhq/weir/controlplane/internal/courier"
	"github.com/weirhq/weir/controlplane/internal/vault"
	"github.com/weirhq/weir/controlplane/internal/webhook"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// settledDelivery waits until a courier was there.
func settledDelivery(t *testing.T, n *tenant, id string, state adminv1.AlertDeliveryState, attempts int) *adminv1.AlertDelivery {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		all := call(t, n.told.ListAlertDeliveries, &adminv1.ListAlertDeliveriesRequest{Filter: `id = "` + id + `"`}).Deliveries
		if len(all) == 1 && all[0].State == state && len(all[0].Attempts) == attempts && all[0].Attempts[attempts-1].Result != 0 {
			return all[0]
		}
		if time.Now().After(end) {
			t.Fatalf("the delivery is %v", all)
		}
	}
}

// deliver runs a courier, as a control plane does.
func (in *installation) deliver(t *testing.T) {
	c := courier.New(courier.Config{DB: in.db, Secrets: vault.New(in.db, in.house), Sender: webhook.NewSender(loopback.Allow), Log: slog.New(slog.DiscardHandler)})
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(t.Context())
	}()
	t.Cleanup(func() { <-done })
}

func TestAlerts(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	secret := webhookSecret("told")
	hook := receive(t, http.StatusServiceUnavailable)
	channel := call(t, n.alerts.CreateAlertChannel, &adminv1.CreateAlertChannelRequest{Name: "ops", Url: hook.URL, Secret: secret}).AlertChannel
	sent := call(t, n.told.SendTestAlert, &adminv1.SendTestAlertRequest{AlertChannelId: channel.Id})
	t.Run("a_test_is_an_alert", func(t *testing.T) {
		same(t, sent.Alert.Kind, adminv1.AlertKind_ALERT_KIND_TEST)
		same(t, sent.Alert.GetTest().AlertChannelId, channel.Id)
		all := call(t, n.told.ListAlerts, &adminv1.ListAlertsRequest{Filter: "kind = test"}).Alerts
		same(t, len(all), 1)
		same(t, all[0].Id, sent.Alert.Id)
		same(t, len(call(t, n.told.ListAlerts, &adminv1.ListAlertsRequest{Filter: "kind = spend_anomaly"}).Alerts), 0)
		waiting := call(t, n.told.ListAlertDeliveries, &adminv1.ListAlertDeliveriesRequest{}).Deliveries
		same(t, len(waiting), 1)
		same(t, waiting[0].State, adminv1.AlertDeliveryState_ALERT_DELIVERY_STATE_PENDING)
		same(t, len(waiting[0].Attempts), 0)
		same(t, waiting[0].EndedAt == nil && waiting[0].NextAttemptAt != nil, true)
	})
	in.deliver(t)
	t.Run("each_attempt_is_listed", func(t *testing.T) {
		d := settledDelivery(t, n, sent.DeliveryId, adminv1.AlertDeliveryState_ALERT_DELIVERY_STATE_PENDING, 1)
		same(t, d.AlertId, sent.Alert.Id)
		same(t, d.AlertChannelId, channel.Id)
		same(t, d.Attempts[0].Number, 1)
		same(t, d.Attempts[0].Result, adminv1.Delivery_DELIVERY_REFUSED)
		same(t, d.Attempts[0].Status, 503)
		same(t, d.Attempts[0].Duration.AsDuration() > 0, true)
		same(t, d.NextAttemptAt.AsTime().After(d.Attempts[0].BeganAt.AsTime()), true)
		same(t, hook.signedWith(t, secret), true)
	})
	t.Run("retried_at_once", func(t *testing.T) {
		fine := receive(t, http.StatusOK)
		call(t, n.alerts.UpdateAlertChannel, &adminv1.UpdateAlertChannelRequest{AlertChannel: &adminv1.AlertChannel{Id: channel.Id, Url: fine.URL}})
		call(t, n.told.RetryAlertDelivery, &adminv1.RetryAlertDeliveryRequest{Id: sent.DeliveryId})
		d := settledDelivery(t, n, sent.DeliveryId, adminv1.AlertDeliveryState_ALERT_DELIVERY_STATE_ACCEPTED, 2)
		same(t, d.EndedAt != nil && d.NextAttemptAt == nil, true)
		same(t, fine.signedWith(t, secret), true)
		again := call(t, n.told.RetryAlertDelivery, &adminv1.RetryAlertDeliveryRequest{Id: sent.DeliveryId}).Delivery
		same(t, again.State, adminv1.AlertDeliveryState_ALERT_DELIVERY_STATE_PENDING)
		settledDelivery(t, n, sent.DeliveryId, adminv1.AlertDeliveryState_ALERT_DELIVERY_STATE_ACCEPTED, 3)
		<-fine.got
	})
	t.Run("what_is_refused", func(t *testing.T) {
		refused(t, connect.CodeNotFound, n.told.RetryAlertDelivery, &adminv1.RetryAlertDeliveryRequest{Id: sent.Alert.Id})
		refused(t, connect.CodeNotFound, n.told.SendTestAlert, &adminv1.SendTestAlertRequest{AlertChannelId: sent.Alert.Id})
		refused(t, connect.CodeInvalidArgument, n.told.SendTestAlert, &adminv1.SendTestAlertRequest{})
	})
	t.Run("pages", func(t *testing.T) {
		for range 4 {
			call(t, n.told.SendTestAlert, &adminv1.SendTestAlertRequest{AlertChannelId: channel.Id})
		}
		var seen []string
		request := &adminv1.ListAlertsRequest{Page: &adminv1.Page{Size: 2}}
		for range 3 {
			page := call(t, n.told.ListAlerts, request)
			for _, a := range page.Alerts {
				seen = append(seen, a.RaisedAt.AsTime().Format(time.RFC3339Nano)+a.Id)
			}
			request.Page.Token = page.NextPageToken
		}
		same(t, len(seen), 5)
		for i := 1; i < len(seen); i++ {
			same(t, seen[i-1] > seen[i], true)
		}
		same(t, request.Page.Token, "")
	})
	t.Run("at_most_400_a_day", func(t *testing.T) {
		for range alert.MostOfMany - 5 {
			call(t, n.told.SendTestAlert, &adminv1.SendTestAlertRequest{AlertChannelId: n.channel.Id})
		}
		err := refused(t, connect.CodeResourceExhausted, n.told.SendTestAlert, &adminv1.SendTestAlertRequest{AlertChannelId: channel.Id})
		same(t, detail(t, err).GetReason(), "too_many_alerts")
	})
}

// Alerts of each kind are read as they were raised.
func TestAlerts_kinds(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	organization, id := mustParse(t, n.organization.Id), mustParse(t, n.project.Id)
	now := time.Now().UTC().Truncate(time.Hour)
	end := now.Add(time.Hour)
	raise := func(a alert.Alert, err error) {
		t.Helper()
		if err == nil {
			batch := &pgx.Batch{}
			a.Queue(batch, organization, nil, nil)
			err = in.db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error { return tx.SendBatch(t.Context(), batch).Close() })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	raise(alert.Threshold{BudgetID: id, Budget: "b", Mode: "soft", Percent: 80, Subject: "ann", Window: "w", StartsAt: &now, EndsAt: &end, LimitNanoUSD: 1 << 60, SpentNanoUSD: 1 << 59}.Alert(organization, now))
	raise(alert.Anomaly{ProjectID: id, Hour: now, SpentNanoUSD: 1, UsualNanoUSD: 2, BoundNanoUSD: 3, Weeks: 4}.Alert(organization, now.Add(time.Second)))
	raise(alert.Unpriced{Provider: "p", Model: "m", From: now, To: end, Requests: 5, InputTokens: 6, OutputTokens: 7}.Alert(organization, now.Add(2*time.Second)))
	all := call(t, n.told.ListAlerts, &adminv1.ListAlertsRequest{OrderBy: "raised_at"}).Alerts
	same(t, len(all), 3)
	budget := all[0].GetBudgetThreshold()
	same(t, fmt.Sprint(budget.BudgetId == n.project.Id, budget.Budget, budget.Mode, budget.Percent, budget.Subject, budget.LimitNanoUsd, budget.SpentNanoUsd, budget.Window.EndsAt.AsTime().Equal(end)),
		fmt.Sprint(true, "b", adminv1.QuotaMode_QUOTA_MODE_SOFT, 80, "ann", int64(1<<60), int64(1<<59), true))
	spend := all[1].GetSpendAnomaly()
	same(t, fmt.Sprint(spend.ProjectId == n.project.Id, spend.Hour.AsTime().Equal(now), spend.SpentNanoUsd, spend.UsualNanoUsd, spend.BoundNanoUsd, spend.Weeks), "true true 1 2 3 4")
	unpriced := all[2].GetUnpricedUsage()
	same(t, fmt.Sprint(unpriced.Provider, unpriced.Model, unpriced.Requests, unpriced.InputTokens, unpriced.OutputTokens, unpriced.To.AsTime().Equal(end)), "pm5 6 7 true")
	for i, kind := range []adminv1.AlertKind{adminv1.AlertKind_ALERT_KIND_BUDGET_THRESHOLD, adminv1.AlertKind_ALERT_KIND_SPEND_ANOMALY, adminv1.AlertKind_ALERT_KIND_UNPRICED_USAGE} {
		same(t, all[i].Kind, kind)
		filter := strings.ToLower(strings.TrimPrefix(kind.String(), "ALERT_KIND_"))
		found := call(t, n.told.ListAlerts, &adminv1.ListAlertsRequest{Filter: "kind = " + filter}).Alerts
		same(t, len(found), 1)
		same(t, found[0].Id, all[i].Id)
	}
	of := func(budget string) int {
		return len(call(t, n.told.ListAlerts, &adminv1.ListAlertsRequest{Filter: "budget_id = " + budget}).Alerts)
	}
	same(t, fmt.Sprint(of(budget.BudgetId), " ", of(n.route.Id)), "1 0")
	same(t, len(call(t, n.told.ListAlerts, &adminv1.ListAlertsRequest{Filter: "NOT budget_id:*"}).Alerts), 2)
}

// What is stored by number is what the API has for it.
func TestAlerts_numbers(t *testing.T) {
	for number, name := range eventv1.AlertKind_name {
		same(t, adminv1.AlertKind_name[number], name)
	}
	same(t, len(adminv1.AlertKind_name), len(eventv1.AlertKind_name))
	same(t, len(alert.Kinds)+1, len(adminv1.AlertKind_name))
	for result, name := range map[alert.Result]adminv1.Delivery{
		alert.Unknown: adminv1.Delivery_DELIVERY_UNSPECIFIED, alert.Result(webhook.Accepted): adminv1.Delivery_DELIVERY_ACCEPTED,
		alert.Result(webhook.Refused): adminv1.Delivery_DELIVERY_REFUSED, alert.Result(webhook.Unreachable): adminv1.Delivery_DELIVERY_UNREACHABLE,
		alert.Result(webhook.TimedOut): adminv1.Delivery_DELIVERY_TIMED_OUT, alert.Result(webhook.NotAllowed): adminv1.Delivery_DELIVERY_ADDRESS_NOT_ALLOWED,
		alert.Result(webhook.TLSFailed): adminv1.Delivery_DELIVERY_TLS_FAILED, alert.SecretMissing: adminv1.Delivery_DELIVERY_SECRET_MISSING,
		alert.ChannelDeleted: adminv1.Delivery_DELIVERY_CHANNEL_DELETED,
	} {
		same(t, int32(result), int32(name))
	}
}

func TestAlertChannel_kinds(t *testing.T) {
	n := install(t).tenant("alpha")
	anomaly, unpriced := adminv1.AlertKind_ALERT_KIND_SPEND_ANOMALY, adminv1.AlertKind_ALERT_KIND_UNPRICED_USAGE
	request := &adminv1.CreateAlertChannelRequest{Name: "ops", Url: "https://hooks.example/ops", Secret: webhookSecret("ops"), Kinds: []adminv1.AlertKind{unpriced, anomaly}}
	made := call(t, n.alerts.CreateAlertChannel, request).AlertChannel
	same(t, fmt.Sprint(made.Kinds), fmt.Sprint([]adminv1.AlertKind{anomaly, unpriced}))
	renamed := call(t, n.alerts.UpdateAlertChannel, &adminv1.UpdateAlertChannelRequest{AlertChannel: &adminv1.AlertChannel{Id: made.Id, Name: "dev"}}).AlertChannel
	same(t, len(renamed.Kinds), 2)
	one := call(t, n.alerts.UpdateAlertChannel, &adminv1.UpdateAlertChannelRequest{AlertChannel: &adminv1.AlertChannel{Id: made.Id, Kinds: []adminv1.AlertKind{anomaly}}}).AlertChannel
	same(t, fmt.Sprint(one.Kinds), fmt.Sprint([]adminv1.AlertKind{anomaly}))
	for _, kinds := range [][]adminv1.AlertKind{{anomaly, anomaly}, {adminv1.AlertKind_ALERT_KIND_BUDGET_THRESHOLD}, {adminv1.AlertKind_ALERT_KIND_TEST}, {0}, {99}} {
		request.Name, request.Kinds = "new", kinds
		err := refused(t, connect.CodeInvalidArgument, n.alerts.CreateAlertChannel, request)
		same(t, strings.Contains(err.Message(), "kinds"), true)
	}
}
