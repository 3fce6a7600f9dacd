package rpc

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weirhq/weir/controlplane/internal/alert"
	"github.com/weirhq/weir/controlplane/internal/quota"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// toProtoAlert reads what the alert's message says.
func toProtoAlert(a alert.Alert) (*adminv1.Alert, error) {
	data, err := a.Data()
	if err != nil {
		return nil, err
	}
	out := &adminv1.Alert{Id: a.ID.String(), Kind: adminv1.AlertKind(alert.Kinds[a.Kind]), RaisedAt: toTimestamp(a.RaisedAt)}
	switch {
	case data.Budget != nil:
		out.About = &adminv1.Alert_BudgetThreshold{BudgetThreshold: toProtoThreshold(*data.Budget)}
	case data.Spend != nil:
		out.About = &adminv1.Alert_SpendAnomaly{SpendAnomaly: &adminv1.SpendAnomaly{
			ProjectId: data.Spend.ProjectID.String(), Hour: toTimestamp(data.Spend.Hour), SpentNanoUsd: data.Spend.SpentNanoUSD,
			UsualNanoUsd: data.Spend.UsualNanoUSD, BoundNanoUsd: data.Spend.BoundNanoUSD, Weeks: int32(data.Spend.Weeks), //nolint:gosec // four at most
		}}
	case data.Unpriced != nil:
		u := data.Unpriced
		out.About = &adminv1.Alert_UnpricedUsage{UnpricedUsage: &adminv1.UnpricedUsage{
			Provider: u.Provider, Model: u.Model, From: toTimestamp(u.From), To: toTimestamp(u.To),
			Requests: u.Requests, InputTokens: u.InputTokens, OutputTokens: u.OutputTokens,
		}}
	case data.Test != nil:
		out.About = &adminv1.Alert_Test{Test: &adminv1.TestOfChannel{AlertChannelId: data.Test.AlertChannelID.String(), AlertChannel: data.Test.AlertChannel}}
	}
	return out, nil
}

// thresholdModes are the modes that messages name.
var thresholdModes = map[string]adminv1.QuotaMode{
	"hard": adminv1.QuotaMode_QUOTA_MODE_HARD, "soft": adminv1.QuotaMode_QUOTA_MODE_SOFT, "shadow": adminv1.QuotaMode_QUOTA_MODE_SHADOW,
}

func toProtoThreshold(t alert.Threshold) *adminv1.BudgetThreshold {
	out := &adminv1.BudgetThreshold{
		BudgetId: t.BudgetID.String(), Budget: t.Budget, Mode: thresholdModes[t.Mode], Percent: t.Percent, Subject: t.Subject,
		LimitNanoUsd: t.LimitNanoUSD, SpentNanoUsd: t.SpentNanoUSD,
	}
	if t.StartsAt != nil && t.EndsAt != nil {
		out.Window = toProtoSpan(quota.Span{Start: *t.StartsAt, End: *t.EndsAt})
	}
	return out
}

var deliveryStates = map[alert.State]adminv1.AlertDeliveryState{
	alert.Pending:  adminv1.AlertDeliveryState_ALERT_DELIVERY_STATE_PENDING,
	alert.Accepted: adminv1.AlertDeliveryState_ALERT_DELIVERY_STATE_ACCEPTED,
	alert.Failed:   adminv1.AlertDeliveryState_ALERT_DELIVERY_STATE_FAILED,
}

// toProtoAlertDelivery keeps the results' numbers: both agree, and a test holds them to it.
func toProtoAlertDelivery(d alert.Delivery) *adminv1.AlertDelivery {
	due := d.DueAt
	if d.State != alert.Pending {
		due = time.Time{}
	}
	return &adminv1.AlertDelivery{
		Id: d.ID.String(), AlertId: d.AlertID.String(), AlertChannelId: d.ChannelID.String(), State: deliveryStates[d.State],
		CreatedAt: toTimestamp(d.CreatedAt), EndedAt: toTimestamp(d.EndedAt), NextAttemptAt: toTimestamp(due), MessageId: d.MessageID(),
		Attempts: convertAll(d.Attempts, func(a alert.Attempt) *adminv1.AlertAttempt {
			return &adminv1.AlertAttempt{
				Number: a.Number, BeganAt: toTimestamp(a.BeganAt), Result: adminv1.Delivery(a.Result), Status: a.Status, Duration: durationpb.New(a.Duration),
			}
		}),
	}
}
